package cloud

// OutputOf returns the key of the result of a request's execution.
func (r *Request) OutputOf(execution string) string { return r.output(execution) }
