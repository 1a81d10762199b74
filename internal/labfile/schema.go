package labfile

import _ "embed"

// Schema is the JSON schema of files (json-schema.org, draft 2020-12).
//
//go:embed schema.json
var Schema string
