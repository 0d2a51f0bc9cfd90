// Package driver is what the drivers of Go's peers share; ../../driver.py says what a driver is.
package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	inFlight = 50
	bulk     = 1000
	holdTime = 300 * time.Second
)

var (
	URL  = os.Getenv("BENCH_URL")
	Fast = os.Getenv("BENCH_CONFIG") != "defaults"
)

// Peer is what a driver implements. EnqueueMany may be nil.
type Peer struct {
	Open        func()
	Enqueue     func(task, text string)
	EnqueueMany func(task string, texts []string)
	Work        func(stop context.Context)
}

// Must ends the program if there is an error.
func Must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Got is Must for functions that return something as well.
func Got[T any](value T, err error) T {
	Must(err)
	return value
}

func now() int64 {
	var at unix.Timespec
	Must(unix.ClockGettime(unix.CLOCK_MONOTONIC, &at))
	return at.Nano()
}

func text(number int) string {
	return fmt.Sprintf("%010d", number) + strings.Repeat("x", 110)
}

var mapped = sync.OnceValue(func() [2][]byte {
	var both [2][]byte
	for i, name := range []string{"counts", "starts"} {
		file := Got(os.OpenFile(filepath.Join(os.Getenv("BENCH_LEDGER"), name), os.O_RDWR, 0))
		size := int(Got(file.Stat()).Size())
		both[i] = Got(syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED))
	}
	return both
})

var counting sync.Mutex

// Ran writes an execution into the ledger.
func Ran(text string) {
	number := Got(strconv.Atoi(text[:10]))
	files := mapped()
	atomic.StoreInt64((*int64)(unsafe.Pointer(&files[1][8*number])), now())
	counting.Lock()
	if files[0][number] < 255 {
		files[0][number]++
	}
	counting.Unlock()
}

// Handle is the handler of both tasks.
func Handle(ctx context.Context, task, text string) {
	Ran(text)
	if task == "hold" {
		select {
		case <-time.After(holdTime):
		case <-ctx.Done():
		}
	}
}

func (p Peer) each(numbers <-chan int, task string) {
	for n := range numbers {
		p.Enqueue(task, text(n))
	}
}

func (p Peer) send(task, mode string, first, count int) {
	if mode == "bulk" {
		for at := first; at < first+count; at += bulk {
			var texts []string
			for n := at; n < min(at+bulk, first+count); n++ {
				texts = append(texts, text(n))
			}
			p.EnqueueMany(task, texts)
		}
		return
	}
	numbers := make(chan int, count)
	for n := first; n < first+count; n++ {
		numbers <- n
	}
	close(numbers)
	senders := 1
	if mode == "in_flight" {
		senders = inFlight
	}
	var all sync.WaitGroup
	for range senders {
		all.Add(1)
		go func() {
			defer all.Done()
			p.each(numbers, task)
		}()
	}
	all.Wait()
}

func (p Peer) fill(task, mode string, first, count int) any {
	warm := 0
	if count > 1 {
		warm = max(1, min(count/10, bulk))
	}
	p.send(task, mode, first, warm)
	start := time.Now()
	p.send(task, mode, first+warm, count-warm)
	return map[string]any{"jobs": count - warm, "seconds": time.Since(start).Seconds()}
}

func (p Peer) pace(first, count int, rate float64) any {
	sent := make([]int64, count)
	var all sync.WaitGroup
	start := now()
	for n := range count {
		time.Sleep(time.Duration(start + int64(float64(n)*1e9/rate) - now()))
		sent[n] = now()
		all.Add(1)
		go func() {
			defer all.Done()
			p.Enqueue("noop", text(first+n))
		}()
	}
	all.Wait()
	return map[string]any{"sent": sent}
}

// Main runs the command in os.Args.
func (p Peer) Main() {
	number := func(at int) int { return Got(strconv.Atoi(os.Args[at])) }
	if os.Args[1] != "work" {
		p.Open()
	}
	switch os.Args[1] {
	case "fill":
		Must(json.NewEncoder(os.Stdout).Encode(p.fill(os.Args[2], os.Args[3], number(4), number(5))))
	case "pace":
		rate := Got(strconv.ParseFloat(os.Args[4], 64))
		Must(json.NewEncoder(os.Stdout).Encode(p.pace(number(2), number(3), rate)))
	case "work":
		stop, cancel := SignalContext()
		defer cancel()
		p.Work(stop)
	}
}
