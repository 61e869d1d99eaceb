// Asks Hanko whether a session token is valid.
//
//	HANKO_API_URL=https://<tenant>.hanko.io ./validate "$TOKEN"
//
// Exit status: 0 valid, 1 refused (a web server would answer 401), 2 could not ask (503).
package main

/*
#cgo LDFLAGS: -lhanko
#include <hanko.h>
#include <stdlib.h>
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"unsafe"
)

// Result is what Hanko said about one token, or why it could not be asked.
type Result struct {
	Valid   bool
	Refused bool   // Hanko said no: answer 401. Neither Valid nor Refused: it could not be asked, answer 503
	Status  string // "HANKO_OK"
	Error   string // for the log of the server, not for clients
}

// Validate asks Hanko; nil stands for a request without a token. It blocks for as long as the request takes, and any
// number of goroutines may call it at once.
func Validate(token *string) Result {
	var text *C.char // NULL
	if token != nil {
		// A NUL would cut the token short on its way into C, and Hanko would judge another one.
		if strings.IndexByte(*token, 0) >= 0 {
			return Result{Refused: true, Status: "HANKO_INVALID_TOKEN", Error: "the token holds a NUL"}
		}
		text = C.CString(*token)
		defer C.free(unsafe.Pointer(text)) // memory of C: the garbage collector does not know it
	}

	// Status and error text are those of the calling thread's last call, and Go moves goroutines between threads:
	// hold this one until both are read.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	valid := C.hanko_validate(text) == 1
	status := C.hanko_last_status()
	return Result{
		Valid:   valid,
		Refused: status == C.HANKO_INVALID_TOKEN || status == C.HANKO_NO_TOKEN,
		Status:  C.GoString(C.hanko_status_name(status)),
		Error:   C.GoString(C.hanko_last_error()),
	}
}

func main() {
	var token *string
	if len(os.Args) > 1 {
		token = &os.Args[1]
	}

	result := Validate(token)
	if result.Valid {
		fmt.Println("valid", result.Status)
		return
	}
	fmt.Println("invalid", result.Status)
	fmt.Fprintln(os.Stderr, result.Error)
	if result.Refused {
		os.Exit(1)
	}
	// Statuses that later versions add end here, too: could not ask says nothing about the session.
	os.Exit(2)
}
