// Package codec is the wire format: bincode messages as the FastPay prototype writes them, the BCS bytes that are
// signed, and TCP frames.
//
// Decoding gives views: an Order, Vote, Certificate or InfoResponse is a window into the received bytes whose shape has
// been checked once, and its methods read fields in place. A view is valid as long as those bytes are unchanged; nothing
// is copied and nothing allocated. The format is canonical, so the bytes of a view are its encoding, and two transfers
// are equal when their bytes are. Decoding is strict: every byte is accounted for, and no input makes it panic.
//
// Encoding appends: dst = AppendX(dst, x).
//
// The package knows shapes, not rules: whether a signature verifies, or a quorum signed, is for node/committee.
package codec
