// Package stacks defines hl7lake on AWS: stacks around one topic.
//
// [Core] owns the hub, the data lake and its catalog, and the only function that writes
// to them. [FrontDoor] accepts messages and returns them. [StagingER7], a
// [Connector], turns ER7 into JSON. [Tables] writes messages as tables for SQL. These are
// given Core as a Go value and know nothing of each other, so each can be deployed,
// changed and removed without the others.
// What a stack owns is a field of its type. The methods beside it say who may use it:
// each gives exactly the permission that its name says, and tells the function the names
// that go with it.
//
// Deployments differ only in their [Environment]. The stacks know the functions only by
// the paths of their packages: nothing under lambdas is imported here, and only app.go
// and the tests import this package.
package stacks
