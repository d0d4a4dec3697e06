package webm

// KeepBlocks sets how many bytes of blocks are kept in memory, until restore is called.
func KeepBlocks(bytes int64) (restore func()) {
	before := keptBlocks
	keptBlocks = bytes
	return func() { keptBlocks = before }
}
