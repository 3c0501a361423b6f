// Descriptors that run out for a moment must not leave a tenant without certificates: a policy that
// could not be read is no verdict, and is read again though nobody touches it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>

#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"

namespace hourglass {
namespace {

// How many descriptors another process may have open; what it has open already stays.
void LimitDescriptors(pid_t pid, rlim_t limit) {
  rlimit limits = {};
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, nullptr, &limits), 0);
  limits.rlim_cur = limit;
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &limits, nullptr), 0);
}

TEST(PolicyUnreadTest, WithoutDescriptorsThereIsNoVerdictAndSoonAfterwardsThereIs) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  daemon.CreateTenant("fabrikam");
  daemon.CreateRoot("fabrikam");
  daemon.ReportDevice("fabrikam", "laptop-1", true);
  const auto issue = [&] {
    v1::IssueCertificateRequest request = daemon.Request();
    request.set_tenant_id("fabrikam");
    return daemon.Issue(request, nullptr, kWideBroker);
  };
  // The connection and the key are there before; the policy is asked for by the first request that
  // is sound.
  v1::IssueCertificateRequest unsound = daemon.Request();
  unsound.set_tenant_id("fabrikam");
  unsound.clear_pkcs10();
  ASSERT_THAT(daemon.Issue(unsound, nullptr, kWideBroker), RefusedWith(v1::FIELD_MISSING));
  rlimit before = {};
  ASSERT_EQ(prlimit(daemon.pid(), RLIMIT_NOFILE, nullptr, &before), 0);
  LimitDescriptors(daemon.pid(), 0);
  EXPECT_THAT(issue(), RefusedWith(v1::COMPLIANCE_UNAVAILABLE));
  LimitDescriptors(daemon.pid(), before.rlim_cur);
  // Tried again after five seconds at most; each of these requests takes a while.
  grpc::Status last;
  for (int i = 0; i < 100'000; ++i) {
    last = issue();
    if (last.ok()) break;
    ASSERT_THAT(last, RefusedWith(v1::COMPLIANCE_UNAVAILABLE));
  }
  EXPECT_THAT(last, Succeeded());
  EXPECT_TRUE(daemon.WaitForLog("policy_unreadable")) << daemon.Log();
}

}  // namespace
}  // namespace hourglass
