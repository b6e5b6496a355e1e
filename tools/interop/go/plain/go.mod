module orchestrator.example/interop/plain

go 1.26.0

require (
	github.com/quic-go/quic-go v0.65.0
	google.golang.org/protobuf v1.36.12
	orchestrator.example/interop/gen v0.0.0
	orchestrator.example/interop/peer v0.0.0
)

require (
	golang.org/x/crypto v0.54.0 // indirect
	golang.org/x/net v0.56.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

// The code of our own schema, made by ../../build.ts with protoc-gen-go.
replace orchestrator.example/interop/gen => ../../../../.tools/interop/gen

replace orchestrator.example/interop/peer => ../peer

tool google.golang.org/protobuf/cmd/protoc-gen-go
