// The worker's side: a custodian served over a socket.
#ifndef HOURGLASS_HSM_KEYHOLDER_WORKER_H_
#define HOURGLASS_HSM_KEYHOLDER_WORKER_H_

namespace hourglass::hsm {

// Reads the Start packet from `socket` (SOCK_SEQPACKET, blocking), then answers requests, on as
// many threads as Start says, until the other side hangs up. Never returns but by the process's end
// (_exit: modules crash when finalised under threads): 0 after the other side hung up, 2 after a
// packet that the service of this build cannot have sent. Writes nothing to standard output.
[[noreturn]] void RunKeyholder(int socket);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_WORKER_H_
