// Package job defines the job spec: a JSON document that describes a whole render. The planner (package plan) writes
// it. Any runner can execute it: the CLI, a CI matrix, GNU parallel, or a Step Functions map.
//
// # Partitions and chunks
//
// A [Spec] splits the frames of the output into [Partition]s. Rendering a partition produces a chunk, a file with the
// frames of the partition. [Merge] joins the chunks, and the encoded [Audio], into the output. Frame n shows the
// composition at exactly n/fps seconds, whichever partition renders it.
//
// A chunk contains a [ChunkID]. So merge rejects chunks of other jobs, and a runner skips finished chunks.
//
// # Commands
//
// Partitions, sound and merge each have a command: a complete line for sh -c, run in the folder of the job file.
// [Command] quotes words and joins them to a command. Programs read the fields of the spec and do not parse the
// commands.
//
// # Settings
//
// [Config] contains the settings that all partitions share. [Settings] returns the table that describes them. The flags
// of the CLI, the commands in the spec and the JSON schemas are derived from that table, so a new setting needs only a
// field in Config and a row in the table.
//
// # Time
//
// Frame rates ([Rate]) are exact fractions and times ([Seconds]) are exact to the nanosecond. [Frames] and [Length]
// convert between them without rounding errors.
//
// # Validation
//
// [Parse] validates a document against the JSON Schema that [Schema] returns, and then with [Spec.Validate]. Errors are
// of type [*Error]: user errors that name the field.
package job
