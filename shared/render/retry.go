package render

import (
	"context"
	"fmt"

	"helios/shared/fault"
)

// retry calls try. After a transient error, it calls failed and retries, up to the given number of retries.
func retry(ctx context.Context, retries int, try func() error, failed func(error)) error {
	for attempt := 1; ; attempt++ {
		err := try()
		if err == nil || ctx.Err() != nil || fault.Of(err) != fault.Transient {
			return err
		}
		if attempt > retries {
			if attempt > 1 {
				err = fmt.Errorf("after %d attempts: %w", attempt, err)
			}
			return err
		}
		failed(err)
	}
}
