// The worker's side: a custodian served over a socket.
#ifndef HOURGLASS_HSM_KEYHOLDER_WORKER_WORKER_H_
#define HOURGLASS_HSM_KEYHOLDER_WORKER_WORKER_H_

namespace hourglass::hsm {

// Reads the Start packet from `signing` (SOCK_SEQPACKET, blocking), then answers requests, on as
// many threads as Start says, until the other side hangs up; and those that make or destroy keys
// from `administration` (negative: none), on one more thread. Each socket answers its own requests
// and refuses the other's with KEY_NOT_PERMITTED. A batch with a digest of the wrong
// length, or any other request that breaks a rule, is answered with a failure and not signed. Never
// returns but by the process's end (_exit: modules crash when finalised under threads): 0 after the
// other side hung up, 1 where it cannot serve (no threads, no memory for a reply), 2 after a packet
// that is no Start or no Request. Writes nothing to standard output.
[[noreturn]] void RunKeyholder(int signing, int administration);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_WORKER_WORKER_H_
