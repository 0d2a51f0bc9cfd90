package driver

import (
	"context"
	"os/signal"
	"syscall"
)

// SignalContext ends with SIGTERM.
func SignalContext() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
}
