// What the Go programs of the benchmark have in common: settings, distinct tokens, the clock, and the report. The
// settings are those of c/bench.h.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func setting(name string, unset int) int {
	number, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		return unset
	}
	return number
}

// tokens gives tokens that differ from each other, within a run and between runs.
type tokens struct {
	start, rest string
	next        uint64
}

func openTokens() *tokens {
	content, err := os.ReadFile(os.Getenv("BENCH_TOKEN"))
	if err != nil {
		stop(err.Error())
	}
	text := strings.TrimSpace(string(content))
	dot := strings.LastIndexByte(text, '.')
	return &tokens{start: text[:dot+1], rest: text[dot+17:], next: uint64(os.Getpid()&0xffffff) << 40}
}

func (source *tokens) take() string {
	return fmt.Sprintf("%s%016x%s", source.start, atomic.AddUint64(&source.next, 1), source.rest)
}

func stop(problem string) {
	fmt.Fprintln(os.Stderr, problem)
	os.Exit(1)
}

// measure asks with a function that says whether the answer was a yes, from as many goroutines as validations are in
// flight; the first answer that is none ends the program.
func measure(validate func(token string) bool) {
	inFlight := setting("BENCH_IN_FLIGHT", 1)
	count := int64(setting("BENCH_COUNT", 0))
	seconds, _ := strconv.ParseFloat(os.Getenv("BENCH_SECONDS"), 64)
	length := time.Duration(seconds * float64(time.Second))
	source := openTokens()

	var begun, answered, answeredWarm int64
	var end atomic.Int64
	// What is in flight at the end is waited for, and not counted.
	var answeredLast int64
	var warmUp, last sync.Once
	start := time.Now()
	since, until := start, start
	goesOn := func() bool {
		if count > 0 {
			return atomic.AddInt64(&begun, 1) <= count
		}
		elapsed := time.Since(start)
		if end.Load() == 0 {
			if elapsed >= length/10 && atomic.LoadInt64(&answered) >= int64(inFlight) {
				warmUp.Do(func() {
					answeredWarm = atomic.LoadInt64(&answered)
					since = time.Now()
					end.Store(int64(time.Since(start) + length))
				})
			}
			return true
		}
		if int64(elapsed) < end.Load() {
			return true
		}
		last.Do(func() {
			answeredLast = atomic.LoadInt64(&answered)
			until = start.Add(elapsed)
		})
		return false
	}

	var workers sync.WaitGroup
	for worker := 0; worker < inFlight; worker++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for goesOn() {
				if !validate(source.take()) {
					stop("the answer was not a yes")
				}
				atomic.AddInt64(&answered, 1)
			}
		}()
	}
	workers.Wait()
	if count > 0 {
		answeredLast, until = answered, time.Now()
	}
	fmt.Printf("{\"validations\": %d, \"seconds\": %.9f}\n", answeredLast-answeredWarm, until.Sub(since).Seconds())
}
