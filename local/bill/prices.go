package bill

import (
	_ "embed" // of prices.json
	"encoding/json"
)

//go:embed prices.json
var pricesFile []byte

// prices is the price table.
type prices struct {
	Region string  `json:"region"`
	Date   string  `json:"date"`
	Prices []price `json:"prices"`
}

// price is one row: that many USD for that many units.
type price struct {
	Charge  Charge  `json:"charge"`
	Service string  `json:"service"`
	Unit    string  `json:"unit"`
	USD     float64 `json:"usd"`
	Per     float64 `json:"per"`
	Page    string  `json:"page"`   // AWS's page of this price
	Source  string  `json:"source"` // where the number was read
}

// readPrices reads the table, which is part of the program: a test holds that
// it can be read.
func readPrices() (table prices) {
	if err := json.Unmarshal(pricesFile, &table); err != nil {
		panic("prices.json: " + err.Error())
	}
	return table
}
