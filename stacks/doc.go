// Package stacks defines what hl7lake is on AWS: stacks around one topic and one lake.
//
// [Core] owns the hub, the data lake and its catalog, and the only function that writes to them. [FrontDoor] lets
// messages in and gives them back. [StagingER7] turns ER7 into JSON. [Tables] writes messages as tables for SQL. These are
// handed Core as a Go value and know nothing of each other, so each deploys, changes and goes without the others. What a stack owns is a field of its
// type; who may use it is a grant method beside it, which gives the one permission that its name says.
//
// Where deployments differ is in [Environment], and nowhere else. The stacks know the functions only by the path of
// their package: nothing under lambdas is imported here, and nothing but app.go and the tests imports this package.
package stacks
