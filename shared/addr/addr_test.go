package addr

import "testing"

func TestSchemes(t *testing.T) {
	for _, test := range []struct {
		input            string
		http, s3, remote bool
	}{
		{"http://example.com/page.html", true, false, true},
		{"https://example.com", true, false, true},
		{"HTTPS://example.com", true, false, true},
		{"s3://bucket/folder/", false, true, true},
		{"S3://bucket/x.html", false, true, true},
		{"http:/example.com", false, false, false},
		{"ftp://example.com", false, false, false},
		{"file:///etc/passwd", false, false, false},
		{"xhttp://example.com", false, false, false},
		{"page.html", false, false, false},
		{"http/index.html", false, false, false},
		{"", false, false, false},
	} {
		if got := IsHTTP(test.input); got != test.http {
			t.Errorf("IsHTTP(%q) = %t, want %t", test.input, got, test.http)
		}
		if got := IsS3(test.input); got != test.s3 {
			t.Errorf("IsS3(%q) = %t, want %t", test.input, got, test.s3)
		}
		if got := IsRemote(test.input); got != test.remote {
			t.Errorf("IsRemote(%q) = %t, want %t", test.input, got, test.remote)
		}
	}
}

func TestSplitS3(t *testing.T) {
	for _, test := range []struct {
		address, bucket, key string
		ok                   bool
	}{
		{"s3://b", "b", "", true},
		{"s3://b/", "b", "", true},
		{"s3://b/a/", "b", "a/", true},
		{"s3://b/a b#?.html", "b", "a b#?.html", true},
		{"S3://b/a", "b", "a", true},
		{"s3://", "", "", false},
		{"s3:///a", "", "a", false},
		{"b/a", "", "", false},
		{"https://b/a", "", "", false},
	} {
		bucket, key, ok := SplitS3(test.address)
		if ok != test.ok || ok && (bucket != test.bucket || key != test.key) {
			t.Errorf("SplitS3(%q) = %q, %q, %t", test.address, bucket, key, ok)
		}
	}
}
