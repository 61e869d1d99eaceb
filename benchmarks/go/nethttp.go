package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"os"
	"time"
)

// With net/http as Go programs use it: one client, which keeps as many connections as validations are in flight. With
// the argument `http1` it does not speak HTTP/2 over TLS.
func main() {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = setting("BENCH_IN_FLIGHT", 1)
	transport.MaxIdleConns = 0
	if len(os.Args) > 1 && os.Args[1] == "http1" {
		transport.TLSClientConfig = nil
		transport.ForceAttemptHTTP2 = false
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	url := os.Getenv("BENCH_API_URL") + "/sessions/validate"

	measure(func(token string) bool {
		body, err := json.Marshal(map[string]string{"session_token": token})
		if err != nil {
			return false
		}
		response, err := client.Post(url, "application/json", bytes.NewReader(body))
		if err != nil {
			return false
		}
		defer response.Body.Close()
		var answer struct {
			IsValid bool `json:"is_valid"`
		}
		err = json.NewDecoder(response.Body).Decode(&answer)
		return err == nil && response.StatusCode == http.StatusOK && answer.IsValid
	})
}
