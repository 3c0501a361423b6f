// Making a worker process.
#ifndef HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_LAUNCH_H_
#define HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_LAUNCH_H_

#include "absl/status/statusor.h"
#include "hsm/keyholder/process/account.h"
#include "hsm/keyholder/process/worker_parent.h"

namespace hourglass::hsm {

// Where a worker finds its ends.
inline constexpr int kSigningSocket = 3;
inline constexpr int kAdministrationSocket = 4;

// As WorkerParent::Start, as a child of the thread that calls. `account` as in AsAccount. Where it
// fails, `error` is the number of errno, if it is not null.
absl::StatusOr<WorkerEnds> LaunchWorker(const WorkerProgram& program, const Holding& holding,
                                        const Account* account, int* error = nullptr);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_LAUNCH_H_
