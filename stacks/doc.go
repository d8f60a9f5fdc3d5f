// Package stacks defines what hl7lake is on AWS: three stacks around one topic.
//
// [Core] owns the hub, the data lake and its catalog, and the only function that writes to them. [FrontDoor] lets
// messages in and gives them back. [StagingER7], a [Connector], turns ER7 into JSON. The latter two are handed Core as a Go
// value and know nothing of each other, so each deploys, changes and goes without the other. What a stack owns is a field of
// its type; who may use it, the methods beside it say: each gives the one permission that its name says, and tells the
// function the names that go with it.
//
// Where deployments differ is in [Environment], and nowhere else. The stacks know the functions only by the path of
// their package: nothing under lambdas is imported here, and nothing but app.go and the tests imports this package.
package stacks
