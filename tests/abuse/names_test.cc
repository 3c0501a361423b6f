// Names and keys that a broker passes on and nobody should have certified: each is refused with its
// reason while a sound caller is served, and what was certified before is found under the name that
// people know.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "hourglass/v1/journal.grpc.pb.h"
#include "hourglass/v1/tenants.grpc.pb.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class NamesTest : public testing::Test {
 protected:
  void Configure(const std::string& more) {
    daemon_.Configure("{tokens: [\"" + daemon_.token().Uri() + "\"]}", daemon_.data_directory(),
                      more);
  }

  grpc::Status IssueFor(const std::string& upn) {
    v1::IssueCertificateRequest request = daemon_.Request();
    request.mutable_user()->set_upn(upn);
    return daemon_.Issue(request);
  }

  int ListedFor(const std::string& upn) {
    grpc::ClientContext context;
    v1::ListCertificatesRequest request;
    request.set_tenant_id("contoso");
    request.set_user_upn(upn);
    v1::ListCertificatesResponse response;
    EXPECT_THAT(
        daemon_.As<v1::JournalService>(kAuditor)->ListCertificates(&context, request, &response),
        Succeeded());
    return response.entries_size();
  }

  Daemon daemon_;
};

TEST_F(NamesTest, WhatIsNotSeenIsRefused) {
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.MakeReady();
  for (const char* upn :
       {"admin\u202e@elpmaxe.osotnoc", "user\u200e@contoso.example", "user\u00a0@contoso.example",
        " user@contoso.example", "user@contoso.example ", "us\u200ber@contoso.example",
        "user\ufeff@contoso.example", "us\u2066er@contoso.example", "u\U000e0041@contoso.example",
        "user\ufffe@contoso.example", "\u0430lice@contoso.example", "*@contoso.example",
        "alice)(cn=*@contoso.example", "alice@-"}) {
    EXPECT_THAT(IssueFor(upn), RefusedWith(v1::FIELD_INVALID, "user.upn")) << upn;
  }
  EXPECT_EQ(daemon_.JournalSize(), 0);
  for (const char* upn : {"o'brien+vpn@contoso.example", "m\u00fcller@contoso.example",
                          "alice_contoso.com#EXT#@fabrikam.onmicrosoft.com"}) {
    EXPECT_THAT(IssueFor(upn), Succeeded()) << upn;
  }
  // The log tells of them and shows what was not seen.
  EXPECT_EQ(daemon_.Stop(), 0);
  EXPECT_THAT(daemon_.Log(), AllOf(HasSubstr("admin\\u202e@"), Not(HasSubstr("\u202e")),
                                   Not(HasSubstr("\u200b"))));
}

TEST_F(NamesTest, DisplayNamesGoIntoRootsForYears) {
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  const auto create = [this](const std::string& id, const std::string& name) {
    grpc::ClientContext context;
    v1::CreateTenantRequest request;
    request.set_tenant_id(id);
    request.set_display_name(name);
    v1::Tenant tenant;
    return daemon_.As<v1::TenantService>(kAdministrator)->CreateTenant(&context, request, &tenant);
  };
  for (const char* name : {"Con\u202etoso", " Contoso", "Contoso ", "Con  toso", "Con\u200btoso",
                           "C\u043entoso", "Mu\u0308ller"}) {
    EXPECT_THAT(create("contoso", name), RefusedWith(v1::FIELD_INVALID, "display_name")) << name;
  }
  EXPECT_THAT(create("contoso", "M\u00fcller & S\u00f6hne (Berlin)"), Succeeded());
}

TEST_F(NamesTest, ATenantSpeaksForItsOwnDomainsOnly) {
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.MakeReady();
  // Without the wall, which the next start tells.
  EXPECT_THAT(IssueFor("admin@fabrikam.example"), Succeeded());
  EXPECT_EQ(daemon_.Stop(), 0);
  EXPECT_THAT(daemon_.Log(), Not(HasSubstr("upn_domains_missing")));
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  EXPECT_TRUE(daemon_.WaitForLog("\"event\":\"upn_domains_missing\",\"tenants\":\"contoso\""));
  const CommandResult open =
      RunCommand({Daemon::kProgram, "--config", daemon_.config_file(), "--check"});
  EXPECT_EQ(open.exit_code, 0);
  EXPECT_THAT(open.output, HasSubstr("warning: tenants without upn_domains"));
  EXPECT_EQ(daemon_.Stop(), 0);

  Configure("tenants: {contoso: {upn_domains: [Contoso.example]}}\n");
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  EXPECT_THAT(IssueFor("admin@fabrikam.example"), RefusedWith(v1::UPN_NOT_OF_TENANT, "user.upn"));
  EXPECT_THAT(IssueFor("alice_contoso.example#EXT#@fabrikam.example"),
              RefusedWith(v1::UPN_NOT_OF_TENANT, "user.upn"));
  EXPECT_THAT(IssueFor("Alice@CONTOSO.example"), Succeeded());
  EXPECT_THAT(IssueFor("alice@contoso.example"), Succeeded());
  EXPECT_EQ(ListedFor("ALICE@contoso.EXAMPLE"), 2);
  EXPECT_EQ(ListedFor("admin@fabrikam.example"), 1);
  EXPECT_EQ(ListedFor("bob@contoso.example"), 0);
}

}  // namespace
}  // namespace hourglass
