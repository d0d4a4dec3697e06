package remote

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// Quota is how many calls of functions an account runs at once, in the region of the state machine.
type Quota struct {
	// Account is for all functions, Free what no function has reserved for itself.
	Account int `json:"account"`
	Free    int `json:"free"`
}

// Quota asks for the account's.
func (s *Stack) Quota(ctx context.Context) (Quota, error) {
	out, err := s.Lambda.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return Quota{}, s.wrapError(ctx, "asking for the account's limits", "", err)
	}
	q := Quota{Account: int(out.AccountLimit.ConcurrentExecutions)}
	q.Free = q.Account
	if free := out.AccountLimit.UnreservedConcurrentExecutions; free != nil {
		q.Free = int(*free)
	}
	return q, nil
}

// Rounds is how often the account has to be filled until so many partitions are done.
func (q Quota) Rounds(partitions int) int {
	free := max(1, q.Free)
	return (partitions + free - 1) / free
}
