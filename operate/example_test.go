package operate_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/config"

	"hl7lake/client"
	"hl7lake/operate"
)

// A program that looks at the dead-letter queues of a deployed lake every night, and
// redrives what can be redriven.
func ExampleOperator_Redrive() {
	ctx := context.Background()
	outputs, err := client.ReadOutputs("outputs.json") // written by cdk deploy --outputs-file
	if err != nil {
		log.Fatal(err)
	}
	configuration, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	operator, err := operate.New(client.Connection{Outputs: outputs}, configuration)
	if err != nil {
		log.Fatal(err)
	}
	err = operator.Redrive(ctx, operate.RedriveOptions{}, func(letter operate.DeadLetter) {
		fmt.Println(letter.Queue, letter.ID, letter.Outcome)
	})
	if err != nil {
		log.Fatal(err)
	}
}

// A program that stages the errors of one institution's day again, after a fix of the
// parser.
func ExampleOperator_Replay() {
	var operator *operate.Operator // as in the example of Redrive
	selection := operate.Selection{Owner: "st-elsewhere", Errors: true}
	err := operator.Replay(context.Background(), selection, true, func(r operate.Replayed) {
		fmt.Println(r.ID)
	})
	if err != nil {
		log.Fatal(err)
	}
}
