// Package addr classifies addresses: which scheme a URL has, and which part of the network an IP address reaches. The
// command line, the browser's proxy and the cloud functions share these rules.
//
// # URLs
//
// An input is a path, an http(s) URL or the s3:// address of an object. [IsHTTP], [IsS3] and [IsRemote] look only at
// the scheme. Schemes are case-insensitive (RFC 3986, section 3.1). S3 keys are not escaped, so
// [SplitS3] does not unescape them.
//
// # IP addresses
//
// Two policies protect Helios from requests to internal services (SSRF):
//
//   - [IsLocal] reports the addresses that a composition must not access: this machine, link-local addresses and the
//     metadata services of clouds. A composition may load files from servers in a private network.
//   - [IsPublic] reports the addresses that the cloud functions may contact for a request: the public internet.
//
// Addresses of private networks, such as 10.0.0.1, are neither. A DNS name can resolve to a different address each
// time. So [Control] applies a policy to the resolved address, just before the connection.
package addr

import "strings"

// IsHTTP reports whether s is an http or https URL.
func IsHTTP(s string) bool { return hasScheme(s, "http") || hasScheme(s, "https") }

// IsS3 reports whether s is an s3:// address.
func IsS3(s string) bool { return hasScheme(s, "s3") }

// IsRemote reports whether s is an http, https or s3 address, not a path.
func IsRemote(s string) bool { return IsHTTP(s) || IsS3(s) }

// SplitS3 splits an address such as s3://bucket/key. The key may be empty or end with a slash. ok is false if s is not
// an s3:// address or has no bucket.
func SplitS3(s string) (bucket, key string, ok bool) {
	if !IsS3(s) {
		return "", "", false
	}
	bucket, key, _ = strings.Cut(s[len("s3://"):], "/")
	return bucket, key, bucket != ""
}

func hasScheme(s, scheme string) bool {
	before, _, ok := strings.Cut(s, "://")
	return ok && strings.EqualFold(before, scheme)
}
