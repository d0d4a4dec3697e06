package awstest

import (
	"io"
	"net"
	"net/http"
)

// S3Fault handles a request to S3. It can pass the request to the server.
type S3Fault func(w http.ResponseWriter, r *http.Request, server http.Handler)

// InjectS3Fault makes fault handle all requests to S3; nil makes the server handle them again.
func (e *Endpoint) InjectS3Fault(fault S3Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.s3Fault = fault
}

// FailS3 answers the requests to S3 for which match returns true with 503 SlowDown. match is called for all requests to
// S3.
func (e *Endpoint) FailS3(match func(*http.Request) bool) {
	e.InjectS3Fault(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if match(r) {
			SlowDown(w, r)
		} else {
			server.ServeHTTP(w, r)
		}
	})
}

// SlowDown answers with S3's response to too many requests.
func SlowDown(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusServiceUnavailable)
	io.WriteString(w, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
}

// Reset resets the connection of a request.
func Reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// Stall sends no response until the client gives up.
func Stall(r *http.Request) {
	io.Copy(io.Discard, r.Body) // otherwise the server does not notice that the client has disconnected
	<-r.Context().Done()
}

// Truncate returns a writer that aborts the connection after a number of bytes of the response body.
func Truncate(w http.ResponseWriter, bytes int) http.ResponseWriter {
	return &truncatingWriter{w, bytes}
}

type truncatingWriter struct {
	http.ResponseWriter
	left int
}

func (w *truncatingWriter) Write(p []byte) (int, error) {
	if len(p) <= w.left {
		w.left -= len(p)
		return w.ResponseWriter.Write(p)
	}
	w.ResponseWriter.Write(p[:w.left])
	http.NewResponseController(w.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}
