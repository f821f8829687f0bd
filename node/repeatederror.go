package node

import "time"

// repeatedError keeps a log from repeating itself: an error is new when it was not the last one, or when that was long
// ago.
type repeatedError struct {
	text string
	at   time.Time
}

func (r *repeatedError) isNew(err error) bool {
	if text := err.Error(); text != r.text || time.Since(r.at) > linkRepeatLog {
		r.text, r.at = text, time.Now()
		return true
	}
	return false
}

func (r *repeatedError) forget() { *r = repeatedError{} }
