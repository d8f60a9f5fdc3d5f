package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"hl7lake/client"
)

// A program that sends to the lake of `lake up`. For a deployed lake, the outputs come
// from ReadOutputs and there is no endpoint.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	connection, err := client.ReadConnection(".lake/connection.json")
	if err != nil {
		log.Fatal(err)
	}
	pool, err := connection.Pool(nil) // nil: the pool is used for signing in only
	if err != nil {
		log.Fatal(err)
	}
	engine, ok := connection.Account("") // the first user that `lake up` made
	if !ok {
		log.Fatal("the lake was started without users")
	}
	lake, err := connection.Client(pool.SignIn(engine.Email, engine.Password))
	if err != nil {
		log.Fatal(err)
	}
	receipt, err := lake.Send(ctx, client.Message{Body: []byte("MSH|^~\\&|APP|HERE|||2026||ADT^A01|1|T|2.5\r")})
	if err != nil {
		log.Fatal(err)
	}
	history, err := lake.Wait(ctx, receipt.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(receipt.ID, "duplicate:", receipt.Duplicate, "became", history.Status)
}

// A refusal is a Problem. Its code is for the program, its detail is for the log. Neither
// holds content.
func ExampleProblem() {
	var lake *client.Client // as in the example of the package
	_, err := lake.JSON(context.Background(), "01a204f6-07d0-7ce3-a84e-ee08b2a143f8")
	if problem, ok := errors.AsType[*client.Problem](err); ok && problem.Status == http.StatusNotFound {
		switch problem.Code {
		case "not-yet":
			fmt.Println("later")
		case "not-staged":
			fmt.Println("it is no HL7 that can be parsed")
		default:
			fmt.Println(problem.Detail)
		}
	}
}
