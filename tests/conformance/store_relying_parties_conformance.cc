#include <gmock/gmock.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<RelyingPartyRecord> PartiesOf(Store& store,
                                          absl::string_view tenant_id = kSampleTenant) {
  return store.ListRelyingParties(tenant_id).value();
}

std::uint64_t RevisionOf(Store& store) { return store.GetTenant(kSampleTenant)->revision; }

const ChangeCause kByTheGateway = {SampleTime(20), "vpn-1-caller", ""};

TEST_P(RelyingPartyStoreConformance, KeepsRelyingParties) {
  EXPECT_THAT(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_THAT(PartiesOf(*store_), IsEmpty()) << "of a tenant that there is not";
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  EXPECT_THAT(PartiesOf(*store_), IsEmpty());
  RelyingPartyRecord unusual = SampleRelyingParty(kUnusualText);
  unusual.identity = absl::StrCat("of ", kUnusualText);
  unusual.kind = absl::StrCat("a ", kUnusualText);
  // Whatever it says of what comes later.
  RelyingPartyRecord boasting = unusual;
  boasting.fetched_version = 9;
  boasting.fetched_at = SampleTime();
  boasting.acknowledged_version = 9;
  boasting.acknowledged_sha256 = std::string(32, 'x');
  boasting.acknowledged_at = SampleTime();
  boasting.acknowledged_by = "itself";
  boasting.registered_at = SampleTime(-100);
  RelyingPartyRecord plain = SampleManualParty("B");
  plain.kind = "";
  ASSERT_OK(store_->AddRelyingParty(boasting, SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("a"), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(plain, SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("a", "fabrikam"), SampleCause()));
  EXPECT_THAT(PartiesOf(*store_), ElementsAre(plain, SampleRelyingParty("a"), unusual))
      << "by name, upper case first";
  EXPECT_THAT(PartiesOf(*store_, "fabrikam"), ElementsAre(SampleRelyingParty("a", "fabrikam")));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  EXPECT_EQ(PartiesOf(*other), PartiesOf(*store_));
}

TEST_P(RelyingPartyStoreConformance, NoTwoOfATenantHaveOneNameOrOneIdentity) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("a"), SampleCause()));
  RelyingPartyRecord same_name = SampleRelyingParty("a"), same_identity = SampleRelyingParty("b");
  same_name.identity = "another";
  same_identity.identity = "a-caller";
  const auto refused = [](const std::string& field) {
    return FailsWith(ErrorReason::kRelyingPartyExists, field);
  };
  EXPECT_THAT(store_->AddRelyingParty(same_name, SampleCause()), refused("name"));
  EXPECT_THAT(store_->AddRelyingParty(SampleManualParty("a"), SampleCause()), refused("name"));
  EXPECT_THAT(store_->AddRelyingParty(same_identity, SampleCause()), refused("identity"));
  EXPECT_THAT(store_->AddRelyingParty(SampleRelyingParty("a"), SampleCause()), refused("name"))
      << "of both the first";
  EXPECT_THAT(PartiesOf(*store_), ElementsAre(SampleRelyingParty("a")));
  // Nobody's identity is no identity, and other tenants' are others.
  ASSERT_OK(store_->AddRelyingParty(SampleManualParty("c"), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleManualParty("d"), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("A"), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("a", "fabrikam"), SampleCause()));
  EXPECT_EQ(PartiesOf(*store_).size(), 4u);
}

TEST_P(RelyingPartyStoreConformance, WhatIsRemovedIsGoneAndReturnedAsItWas) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  const auto unknown = FailsWith(ErrorReason::kRelyingPartyUnknown, "name");
  EXPECT_THAT(store_->RemoveRelyingParty(kSampleTenant, "vpn-1", SampleCause()), unknown);
  EXPECT_THAT(store_->RemoveRelyingParty("nobody", "vpn-1", SampleCause()), unknown);
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-2"), SampleCause()));
  ASSERT_OK(store_->NoteFetched(kSampleTenant, "vpn-1-caller", 2, SampleTime(19)));
  ASSERT_OK_AND_ASSIGN(const RelyingPartyRecord acknowledged,
                       store_->Acknowledge(SampleAcknowledgement("vpn-1", 2), kByTheGateway));
  EXPECT_THAT(store_->RemoveRelyingParty("fabrikam", "vpn-1", SampleCause()), unknown);
  EXPECT_THAT(store_->RemoveRelyingParty(kSampleTenant, "VPN-1", SampleCause()), unknown);
  ASSERT_OK_AND_ASSIGN(const RelyingPartyRecord removed,
                       store_->RemoveRelyingParty(kSampleTenant, "vpn-1", SampleCause()));
  EXPECT_EQ(removed, acknowledged);
  EXPECT_EQ(removed.fetched_version, 2u);
  EXPECT_THAT(PartiesOf(*store_), ElementsAre(SampleRelyingParty("vpn-2")));
  EXPECT_THAT(store_->RemoveRelyingParty(kSampleTenant, "vpn-1", SampleCause()), unknown);
  EXPECT_THAT(store_->Acknowledge(SampleAcknowledgement("vpn-1", 2), kByTheGateway), unknown);
  // One of the same name is another, which has fetched and acknowledged nothing.
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()));
  EXPECT_THAT(PartiesOf(*store_),
              ElementsAre(SampleRelyingParty("vpn-1"), SampleRelyingParty("vpn-2")));
}

TEST_P(RelyingPartyStoreConformance, KeepsWhatWasAcknowledgedLast) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-2"), SampleCause()));
  RelyingPartyRecord expected = SampleRelyingParty("vpn-1");
  for (const std::uint64_t version : {2, 3}) {
    const ChangeCause cause = {SampleTime(static_cast<int>(version)),
                               absl::StrCat("by ", version, kUnusualText), ""};
    Acknowledgement acknowledgement = SampleAcknowledgement("vpn-1", version);
    acknowledgement.document_sha256 = AllOctets().substr(0, 31) + std::to_string(version);
    expected.acknowledged_version = version;
    expected.acknowledged_sha256 = acknowledgement.document_sha256;
    expected.acknowledged_at = cause.now;
    expected.acknowledged_by = cause.caller;
    ASSERT_OK_AND_ASSIGN(RelyingPartyRecord noted, store_->Acknowledge(acknowledgement, cause));
    EXPECT_EQ(noted, expected);
    EXPECT_THAT(PartiesOf(*store_), ElementsAre(expected, SampleRelyingParty("vpn-2")));
    ASSERT_OK_AND_ASSIGN(noted, store_->Acknowledge(acknowledgement, kByTheGateway));
    EXPECT_EQ(noted, expected) << "the same again changes nothing";
    EXPECT_THAT(PartiesOf(*store_), ElementsAre(expected, SampleRelyingParty("vpn-2")));
    EXPECT_EQ(RevisionOf(*store_), version) << "the bundle is what it was";
    ASSERT_OK(store_->AddRoot(SampleRoot(static_cast<int>(version))));
  }
}

TEST_P(RelyingPartyStoreConformance, RefusedAcknowledgementsChangeNothing) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1", "fabrikam"), SampleCause()));
  const auto acknowledge = [&](const std::string& name, std::uint64_t version,
                               absl::string_view tenant = kSampleTenant) {
    return store_->Acknowledge(SampleAcknowledgement(name, version, tenant), kByTheGateway);
  };
  const auto unknown_version = FailsWith(ErrorReason::kBundleUnknown, "version");
  EXPECT_THAT(acknowledge("vpn-1", 2, "nobody"),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_THAT(acknowledge("vpn-2", 2), FailsWith(ErrorReason::kRelyingPartyUnknown, "name"));
  EXPECT_THAT(acknowledge("vpn-2", 3), FailsWith(ErrorReason::kRelyingPartyUnknown, "name"));
  for (const std::uint64_t version : {std::uint64_t{0}, std::uint64_t{3}, ~std::uint64_t{0}}) {
    EXPECT_THAT(acknowledge("vpn-1", version), unknown_version) << version;
  }
  EXPECT_THAT(acknowledge("vpn-1", 1), FailsWith(ErrorReason::kBundleOutdated, "version"));
  EXPECT_THAT(acknowledge("vpn-1", 0, "fabrikam"), unknown_version) << "it has no root";
  EXPECT_THAT(PartiesOf(*store_), ElementsAre(SampleRelyingParty("vpn-1")));

  ASSERT_OK_AND_ASSIGN(const RelyingPartyRecord noted, acknowledge("vpn-1", 2));
  Acknowledgement mismatch = SampleAcknowledgement("vpn-1", 2);
  mismatch.document_sha256.back() ^= 1;
  EXPECT_THAT(store_->Acknowledge(mismatch, kByTheGateway),
              FailsWith(ErrorReason::kBundleMismatch, "document_sha256"));
  ASSERT_OK(store_->AddRoot(SampleRoot(2)));
  EXPECT_THAT(acknowledge("vpn-1", 2), FailsWith(ErrorReason::kBundleOutdated, "version"))
      << "even where it is what it acknowledged last";
  EXPECT_THAT(PartiesOf(*store_), ElementsAre(noted));
  EXPECT_OK(acknowledge("vpn-1", 3));
}

// Who looks and then acknowledges must not do so for another of the same name.
TEST_P(RelyingPartyStoreConformance, WhoWasRegisteredAnewIsNotAcknowledgedFor) {
  ASSERT_OK(AddSamplePrimary(*store_));
  const auto unknown = FailsWith(ErrorReason::kRelyingPartyUnknown, "name");
  const auto register_anew = [&](const RelyingPartyRecord& party) {
    const auto removed = store_->RemoveRelyingParty(kSampleTenant, party.name, SampleCause());
    return removed.ok() ? store_->AddRelyingParty(party, SampleCause()) : removed.status();
  };
  const Acknowledgement by_itself = SampleAcknowledgement("vpn-1", 2),
                        attested = SampleAttestation("vpn-1", 2);
  RelyingPartyRecord another = SampleRelyingParty("vpn-1");
  another.identity = "another-caller";
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-2"), SampleCause()));
  EXPECT_THAT(store_->Acknowledge(attested, SampleCause()), unknown) << "it is not manual";
  ASSERT_OK(register_anew(another));
  EXPECT_THAT(store_->Acknowledge(by_itself, kByTheGateway), unknown) << "it has another identity";
  Acknowledgement outdated = by_itself;
  outdated.version = 1;
  EXPECT_THAT(store_->Acknowledge(outdated, kByTheGateway), unknown) << "of both the first";
  ASSERT_OK(register_anew(SampleManualParty("vpn-1")));
  EXPECT_THAT(store_->Acknowledge(by_itself, kByTheGateway), unknown) << "it is manual";
  EXPECT_THAT(PartiesOf(*store_),
              ElementsAre(SampleManualParty("vpn-1"), SampleRelyingParty("vpn-2")));
  EXPECT_OK(store_->Acknowledge(attested, SampleCause()));
  ASSERT_OK(register_anew(SampleRelyingParty("vpn-1")));
  EXPECT_THAT(store_->Acknowledge(attested, SampleCause()), unknown) << "it is manual no more";
  EXPECT_THAT(PartiesOf(*store_),
              ElementsAre(SampleRelyingParty("vpn-1"), SampleRelyingParty("vpn-2")));
  EXPECT_OK(store_->Acknowledge(by_itself, kByTheGateway));
}

TEST_P(RelyingPartyStoreConformance, KeepsTheNewestVersionThatWasFetched) {
  ASSERT_OK(AddSamplePrimary(*store_));  // revision 2
  ASSERT_OK(AddSamplePrimary(*store_, "fabrikam"));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-2"), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1", "fabrikam"), SampleCause()));
  RelyingPartyRecord expected = SampleRelyingParty("vpn-1");
  const auto fetched = [&](std::uint64_t version, int at) {
    return store_->NoteFetched(kSampleTenant, expected.identity, version, SampleTime(at));
  };
  const auto expect = [&](std::uint64_t version, int at) {
    expected.fetched_version = version;
    expected.fetched_at = SampleTime(at);
    EXPECT_THAT(PartiesOf(*store_), ElementsAre(expected, SampleRelyingParty("vpn-2")));
  };
  EXPECT_OK(fetched(1, 10));
  expect(1, 10);
  EXPECT_OK(fetched(2, 5));
  expect(2, 5);  // by the version, and not by the clock
  for (const std::uint64_t version : {0, 1, 2}) {
    EXPECT_OK(fetched(version, 30));
    expect(2, 5);
  }
  ASSERT_OK_AND_ASSIGN(const RelyingPartyRecord acknowledged,
                       store_->Acknowledge(SampleAcknowledgement("vpn-1", 2), kByTheGateway));
  EXPECT_EQ(acknowledged.fetched_version, 2u);
  EXPECT_EQ(acknowledged.fetched_at, SampleTime(5));
  expected = acknowledged;
  ASSERT_OK(store_->AddRoot(SampleRoot(2)));
  EXPECT_OK(fetched(3, 40));
  expect(3, 40);  // and what was acknowledged stays
  EXPECT_THAT(PartiesOf(*store_, "fabrikam"), ElementsAre(SampleRelyingParty("vpn-1", "fabrikam")));
  store_.reset();
  ASSERT_OK_AND_ASSIGN(store_, place_->Open());
  expect(3, 40);
}

TEST_P(RelyingPartyStoreConformance, WhatNobodyKnownFetchedOrThereIsNotChangesNothing) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn"), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleManualParty("nps"), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn", "fabrikam"), SampleCause()));
  const auto fetched = [&](const std::string& identity, std::uint64_t version,
                           absl::string_view tenant = kSampleTenant) {
    return store_->NoteFetched(tenant, identity, version, SampleTime());
  };
  EXPECT_OK(fetched("broker", 2));
  EXPECT_OK(fetched("vpn", 2)) << "a name is no identity";
  EXPECT_OK(fetched("VPN-caller", 2));
  EXPECT_OK(fetched("vpn-caller", 2, "nobody"));
  EXPECT_OK(fetched("vpn-caller", 1, "fabrikam")) << "it has no root";
  for (const std::uint64_t version : {std::uint64_t{3}, ~std::uint64_t{0}}) {
    EXPECT_OK(fetched("vpn-caller", version)) << version;
  }
  EXPECT_THAT(fetched("", 2), FailsWith(ErrorReason::kInternalError, "identity"));
  EXPECT_THAT(PartiesOf(*store_), ElementsAre(SampleManualParty("nps"), SampleRelyingParty("vpn")));
  EXPECT_THAT(PartiesOf(*store_, "fabrikam"), ElementsAre(SampleRelyingParty("vpn", "fabrikam")));
  EXPECT_OK(fetched("vpn-caller", 2));
  EXPECT_EQ(PartiesOf(*store_)[1].fetched_version, 2u);
}

TEST_P(RelyingPartyStoreConformance, OfVersionsThatAreFetchedAtOnceTheNewestStays) {
  ASSERT_OK(AddSamplePrimary(*store_));
  for (int generation = 2; generation <= 20; ++generation) {
    ASSERT_OK(store_->AddRoot(SampleRoot(generation)));
  }
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn"), SampleCause()));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  for (std::uint64_t version = 2; version <= 20; version += 2) {
    absl::Status newer, older;
    std::thread fetches(
        [&] { newer = other->NoteFetched(kSampleTenant, "vpn-caller", version, SampleTime(2)); });
    older = store_->NoteFetched(kSampleTenant, "vpn-caller", version - 1, SampleTime(1));
    fetches.join();
    EXPECT_OK(newer);
    EXPECT_OK(older);
    EXPECT_EQ(PartiesOf(*store_)[0].fetched_version, version);
    EXPECT_EQ(PartiesOf(*store_)[0].fetched_at, SampleTime(2));
  }
}

TEST_P(RelyingPartyStoreConformance, WhatRelyingPartiesDoIsNoChangeOfTheTenant) {
  ASSERT_OK(AddSamplePrimary(*store_));
  NewsOfThisThread news(*store_);
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()));
  ASSERT_OK(store_->NoteFetched(kSampleTenant, "vpn-1-caller", 2, SampleTime(19)));
  ASSERT_OK(store_->Acknowledge(SampleAcknowledgement("vpn-1", 2), kByTheGateway));
  ASSERT_OK(store_->RemoveRelyingParty(kSampleTenant, "vpn-1", SampleCause()));
  EXPECT_EQ(RevisionOf(*store_), 2u);
  EXPECT_EQ(store_->GetTenant(kSampleTenant)->epoch, 1u);
  EXPECT_THAT(news.Take(), IsEmpty());
}

TEST_P(RelyingPartyStoreConformance, OfTwoThatRegisterOneNameAtOnceOneDoes) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  for (int i = 0; i < 20; ++i) {
    const RelyingPartyRecord party = SampleRelyingParty(absl::StrCat("vpn-", i));
    absl::Status one, two;
    std::thread registers([&] { one = other->AddRelyingParty(party, SampleCause()); });
    two = store_->AddRelyingParty(party, SampleCause());
    registers.join();
    EXPECT_NE(one.ok(), two.ok());
    EXPECT_THAT(one.ok() ? two : one, FailsWith(ErrorReason::kRelyingPartyExists, "name"));
  }
  EXPECT_EQ(PartiesOf(*store_).size(), 20u);
  EXPECT_EQ(ActionsOf(*store_).size(), 20u);
}

}  // namespace
}  // namespace hourglass::issuance
