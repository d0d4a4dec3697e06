package remote

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// Quota is the concurrency quota of Lambda for an account in the region of the state machine.
type Quota struct {
	// Account is the number of concurrent calls of all functions.
	Account int `json:"account"`
	// Free is the part of Account that no function has reserved.
	Free int `json:"free"`
}

// Quota returns the quota of the account.
func (s *Stack) Quota(ctx context.Context) (Quota, error) {
	out, err := s.Lambda.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return Quota{}, s.wrapError(ctx, "reading the quota of the account", "", err)
	}
	q := Quota{Account: int(out.AccountLimit.ConcurrentExecutions)}
	q.Free = q.Account
	if free := out.AccountLimit.UnreservedConcurrentExecutions; free != nil {
		q.Free = int(*free)
	}
	return q, nil
}

// Rounds returns how many rounds of concurrent calls are necessary to render all partitions.
func (q Quota) Rounds(partitions int) int {
	free := max(1, q.Free)
	return (partitions + free - 1) / free
}
