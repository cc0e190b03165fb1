// Package findings prints what nats-io/jwt's Validate says.
package findings

import (
	// The time zones of the program, whatever the machine has.
	_ "time/tzdata"

	"github.com/nats-io/jwt/v2"
)

// Finding is one validation issue.
type Finding struct {
	Text string `json:"text"`
	// Class is blocking, time or warning.
	Class string `json:"class"`
}

// Of validates claims.
func Of(claims jwt.Claims) []Finding {
	results := jwt.CreateValidationResults()
	claims.Validate(results)
	found := []Finding{}
	for _, issue := range results.Issues {
		class := "warning"
		if issue.Blocking {
			class = "blocking"
		} else if issue.TimeCheck {
			class = "time"
		}
		found = append(found, Finding{Text: issue.Description, Class: class})
	}
	return found
}
