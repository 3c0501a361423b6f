#include "hsm/keyholder/process/call_filter.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/sanitizers.h"
#include "hsm/base/status_macros.h"

namespace hourglass::hsm {
namespace {

struct FreeFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FreeFilter>;

// Other processes, the kernel, the machine: nothing that either program needs, nor any module that
// speaks PKCS#11. By name, since not every kernel's headers know all of them.
constexpr const char* kForbidden[] = {
    // other processes' memory and files
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "kcmp",
    "pidfd_getfd",
    // code in the kernel
    "bpf",
    "init_module",
    "finit_module",
    "delete_module",
    "create_module",
    "kexec_load",
    "kexec_file_load",
    "perf_event_open",
    "userfaultfd",
    "uselib",
    "modify_ldt",
    "iopl",
    "ioperm",
    "lookup_dcookie",
    "_sysctl",
    // the file system as a whole, and files past its permissions
    "mount",
    "umount",
    "umount2",
    "pivot_root",
    "chroot",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsmount",
    "fsconfig",
    "fspick",
    "mount_setattr",
    "open_by_handle_at",
    "swapon",
    "swapoff",
    "quotactl",
    "quotactl_fd",
    "acct",
    "nfsservctl",
    // namespaces
    "setns",
    "unshare",
    // the machine and its clock
    "reboot",
    "sethostname",
    "setdomainname",
    "settimeofday",
    "clock_settime",
    "stime",
    "syslog",
    "vhangup",
    // the kernel's own keys
    "add_key",
    "request_key",
    "keyctl",
    // what protects memory from being looked at, and addresses from being foretold
    "personality",
};

// As if the kernel had none: a library that would use them does without.
constexpr const char* kAbsent[] = {"io_uring_setup", "io_uring_enter", "io_uring_register"};

// Accounts change before the filter comes.
constexpr const char* kForbiddenToService[] = {
    "execve",   "execveat",  "fork",      "vfork",     "setuid",   "setgid",   "setreuid",
    "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid", "capset",
};

absl::Status Failed(absl::string_view what, int code) {
  return Error(ErrorReason::kInternalError, "",
               absl::StrCat("seccomp: ", what, ": ", strerror(-code)));
}

absl::Status Forbid(const Filter& filter, const char* name,
                    std::uint32_t action = SCMP_ACT_KILL_PROCESS) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) return absl::OkStatus();  // none of this library's
  const int code = seccomp_rule_add(filter.get(), action, number, 0);
  return code == 0 ? absl::OkStatus() : Failed(name, code);
}

// Threads are made by clone with CLONE_THREAD, processes without. The flags of clone3 lie in
// memory, which a filter cannot read: without it the C library takes clone.
absl::Status ForbidProcesses(const Filter& filter) {
  int code = seccomp_rule_add(filter.get(), SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
  if (code != 0) return Failed("clone", code);
  code = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  return code == 0 ? absl::OkStatus() : Failed("clone3", code);
}

}  // namespace

bool CallFilterIsBuiltIn() { return !kSanitizer; }

absl::Status ForbidCalls(CallFilter kind) {
  if (!CallFilterIsBuiltIn()) return absl::OkStatus();
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW));
  if (filter == nullptr) return Failed("no memory", -ENOMEM);
  int code = seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  // Also for threads that are there already.
  if (code == 0) code = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  // Older kernels would else slow down whoever has a filter.
  if (code == 0) code = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_SSB, 1);
  // Two dozen comparisons at each call of the kernel are noticed; a tree of them is not.
  if (code == 0) code = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  if (code != 0) return Failed("attribute", code);
  for (const char* name : kForbidden) RETURN_IF_ERROR(Forbid(filter, name));
  for (const char* name : kAbsent) RETURN_IF_ERROR(Forbid(filter, name, SCMP_ACT_ERRNO(ENOSYS)));
  if (kind == CallFilter::kService) {
    for (const char* name : kForbiddenToService) RETURN_IF_ERROR(Forbid(filter, name));
    RETURN_IF_ERROR(ForbidProcesses(filter));
  } else {
    for (const char* name : {"execve", "execveat"}) {
      RETURN_IF_ERROR(Forbid(filter, name, SCMP_ACT_ERRNO(EPERM)));
    }
  }
  code = seccomp_load(filter.get());
  return code == 0 ? absl::OkStatus() : Failed("load", code);
}

}  // namespace hourglass::hsm
