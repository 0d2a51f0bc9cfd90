// asynq. Fast: 100 jobs at once in place of one a core, and an idle worker looks each 10 ms in place of each second.
// It keeps no results unless told how long.
package main

import (
	"context"
	"time"

	"github.com/hibiken/asynq"

	"quarq.bench/driver"
)

func main() {
	redis := driver.Got(asynq.ParseRedisURI(driver.URL))
	var client *asynq.Client
	driver.Peer{
		Open: func() { client = asynq.NewClient(redis) },
		Enqueue: func(task, text string) {
			driver.Got(client.Enqueue(asynq.NewTask(task, []byte(text))))
		},
		Work: func(stop context.Context) {
			config := asynq.Config{LogLevel: asynq.ErrorLevel}
			if driver.Fast {
				config.Concurrency = 100
				config.TaskCheckInterval = 10 * time.Millisecond
			}
			server := asynq.NewServer(redis, config)
			driver.Must(server.Start(asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
				driver.Handle(ctx, task.Type(), string(task.Payload()))
				return nil
			})))
			<-stop.Done()
			server.Shutdown()
		},
	}.Main()
}
