// How many files this process may have open.
#ifndef HOURGLASS_ISSUANCE_EDGE_FILE_LIMIT_H_
#define HOURGLASS_ISSUANCE_EDGE_FILE_LIMIT_H_

namespace hourglass::issuance {

// Raises the number of file descriptors that this process may have (RLIMIT_NOFILE) to what it may
// raise it to by itself. Returns the number; where it cannot be raised, what it was.
int RaiseFileLimit();

// The number as it is.
int FileLimit();

// How many connections fit into that many descriptors, two for each, beside what the service needs
// for its files, keys and threads: at most `wanted`, at least 16.
int ConnectionsWithin(int file_limit, int wanted);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_FILE_LIMIT_H_
