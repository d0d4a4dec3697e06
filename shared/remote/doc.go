// Package remote is the client of a Helios stack on AWS. It uploads compositions, starts and follows renders, and
// downloads their output. Package cloud contains the functions of the stack.
//
// # Renders
//
// A [Render] is an execution of the stack's state machine. Its id is the name of the execution. [Stack.Start] starts a
// render, [Stack.Status] returns its state and its progress, and [Stack.Follow] polls until it ends. [Stack.Redrive]
// repeats a failed render and keeps the existing chunks.
//
// # Sites
//
// [Stack.Upload] uploads a composition as a site: the objects below sites/<digest>/. The digest covers all names and
// contents, so a site never changes, and equal compositions are the same site.
//
//   - sites/blobs/<SHA-256> contains each distinct file once.
//   - sites/<digest>/ contains the files of a site, copied from the blobs inside S3.
//   - sites/<digest>.json is the [Manifest]. It is written last: if it exists, the site is complete.
//
// # Errors
//
// Errors have a kind (package fault): User for wrong settings, credentials or ids, and Transient if AWS cannot be
// reached or throttles.
package remote
