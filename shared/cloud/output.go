package cloud

// OutputOf returns the key of the output if an execution with that name renders r.
func (r *Request) OutputOf(execution string) string { return r.output(execution) }
