package webm

// KeepBlocks sets keptBlocks until restore is called.
func KeepBlocks(bytes int64) (restore func()) {
	before := keptBlocks
	keptBlocks = bytes
	return func() { keptBlocks = before }
}
