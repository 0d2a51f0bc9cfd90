// River, on PostgreSQL. Fast: 1,000 jobs at once, a fetch as soon as each 10 ms; by default 100 at once, as its
// documentation shows, and a fetch each 100 ms. Its results are columns of the job; there is none to wait for.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"quarq.bench/driver"
)

type noop struct {
	Text string `json:"text"`
}

func (noop) Kind() string { return "noop" }

type hold struct {
	Text string `json:"text"`
}

func (hold) Kind() string { return "hold" }

type doNoop struct{ river.WorkerDefaults[noop] }

func (doNoop) Work(ctx context.Context, job *river.Job[noop]) error {
	driver.Handle(ctx, "noop", job.Args.Text)
	return nil
}

type doHold struct{ river.WorkerDefaults[hold] }

func (doHold) Work(ctx context.Context, job *river.Job[hold]) error {
	driver.Handle(ctx, "hold", job.Args.Text)
	return nil
}

func args(task, text string) river.JobArgs {
	if task == "hold" {
		return hold{text}
	}
	return noop{text}
}

func pool() *pgxpool.Pool {
	ctx := context.Background()
	opened := driver.Got(pgxpool.New(ctx, driver.URL))
	migrator := driver.Got(rivermigrate.New(riverpgxv5.New(opened), nil))
	driver.Got(migrator.Migrate(ctx, rivermigrate.DirectionUp, nil))
	return opened
}

func main() {
	ctx := context.Background()
	var client *river.Client[pgx.Tx]
	driver.Peer{
		Open: func() { client = driver.Got(river.NewClient(riverpgxv5.New(pool()), &river.Config{})) },
		Enqueue: func(task, text string) {
			driver.Got(client.Insert(ctx, args(task, text), nil))
		},
		EnqueueMany: func(task string, texts []string) {
			many := make([]river.InsertManyParams, len(texts))
			for i, text := range texts {
				many[i].Args = args(task, text)
			}
			driver.Got(client.InsertManyFast(ctx, many))
		},
		Work: func(stop context.Context) {
			workers := river.NewWorkers()
			river.AddWorker(workers, doNoop{})
			river.AddWorker(workers, doHold{})
			config := &river.Config{
				Logger:  slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
				Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 100}},
				Workers: workers,
			}
			if driver.Fast {
				config.Queues = map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 1000}}
				config.FetchCooldown = 10 * time.Millisecond
			}
			serving := driver.Got(river.NewClient(riverpgxv5.New(pool()), config))
			driver.Must(serving.Start(ctx))
			<-stop.Done()
			soon, cancel := context.WithTimeout(ctx, 3*time.Second)
			defer cancel()
			_ = serving.StopAndCancel(soon)
		},
	}.Main()
}
