// Devices that prove by a key of their own that they ask.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "hourglass/v1/devices.pb.h"
#include "issuance/compliance/embedded_stub.h"
#include "issuance/compliance/engine.h"
#include "issuance/compliance/facts_read_ahead.h"
#include "issuance/device_keys/device_key.h"
#include "issuance/pipeline/pipeline.h"
#include "issuance/pipeline/testing/pipeline_fixture.h"
#include "tests/support/device_signer.h"
#include "tests/support/pkcs10.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using std::chrono::minutes;

class DeviceKeyPipelineTest : public PipelineTest {
 protected:
  void SetUp() override {
    PipelineTest::SetUp();
    facts_.emplace(&*store_);
    Use(DeviceKeyUse::kWhenEnrolled);
  }

  void Use(DeviceKeyUse use) {
    std::map<std::string, IssuingConfig> overrides;
    overrides["contoso"].device_keys = use;
    tenants_.emplace(&*store_, keys_.get(), IssuingConfig(), overrides);
    pipeline_.emplace(&*tenants_, &*compliance_, &*journal_, &entropy_, &clock_, EventLog::Silent(),
                      nullptr, Pipeline::Identities{nullptr, nullptr, nullptr, &*facts_});
  }

  // Of laptop-1.
  void Enrol(const DeviceSigner& device, bool approves = true) {
    DeviceKeyRecord key;
    key.tenant_id = "contoso";
    key.key_id = DeviceKeyId(device.public_key());
    key.device_id = "laptop-1";
    key.public_key = device.public_key();
    const ChangeCause cause = {clock_.Now(), "cli", "seen"};
    ASSERT_OK(store_->EnrolDeviceKey(key, DeviceKeyStore::Approval::kLater, cause));
    if (!approves) return;
    ASSERT_OK(store_->ApproveDeviceKey("contoso", key.key_id, true, cause));
  }
  void Remove(const DeviceSigner& device, bool releases) {
    ASSERT_OK(store_->RemoveDeviceKey("contoso", DeviceKeyId(device.public_key()), releases,
                                      {clock_.Now(), "cli", "lost"}));
  }

  void Sign(const DeviceSigner& device) {
    *request_.mutable_device_proof() = device.ProveRequest(request_, clock_.Now());
  }

  const DeviceSigner device_;
  std::optional<FactsReadAhead> facts_;
};

TEST_F(DeviceKeyPipelineTest, WithoutAKeyTheBrokersWordCounts) {
  ASSERT_OK(Issue().status);
  // A device may sign from the first day on: while its key waits, nobody looks.
  Enrol(device_, /*approves=*/false);
  request_.set_request_id("request-2");
  Sign(device_);
  EXPECT_OK(Issue().status);
}

TEST_F(DeviceKeyPipelineTest, ADeviceWithAKeyMustProveIt) {
  Enrol(device_);
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kDeviceProofMissing, "device_proof"));
  Sign(DeviceSigner());
  EXPECT_THAT(Issue().status,
              FailsWith(ErrorReason::kDeviceProofRefused, "device_proof.signature"));
  // Nobody was asked, and nothing is on record.
  EXPECT_TRUE(verdicts_.questions.empty());
  EXPECT_TRUE(Recorded().empty());
  Sign(device_);
  EXPECT_OK(Issue().status);
  EXPECT_EQ(verdicts_.questions.size(), 1u);
}

// A broker that somebody took over: it has what the device signed, and may ask what it likes.
TEST_F(DeviceKeyPipelineTest, AProofIsForItsRequestAlone) {
  Enrol(device_);
  Sign(device_);
  const v1::IssueCertificateRequest signed_one = request_;
  const auto refused = FailsWith(ErrorReason::kDeviceProofRefused, "device_proof.signature");
  request_.set_pkcs10(MakeEcPkcs10());
  EXPECT_THAT(Issue().status, refused) << "a key of the broker's";
  request_ = signed_one;
  request_.mutable_user()->set_upn("ceo@contoso.example");
  EXPECT_THAT(Issue().status, refused);
  request_ = signed_one;
  request_.mutable_user()->set_id("u-1");
  EXPECT_THAT(Issue().status, refused);
  request_ = signed_one;
  request_.set_request_id("request-2");
  EXPECT_THAT(Issue().status, refused);
  request_ = signed_one;
  request_.set_device_id("LAPTOP-1");
  EXPECT_THAT(Issue().status, refused) << "another spelling is the same device";
  request_ = signed_one;
  request_.clear_device_proof();
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kDeviceProofMissing));
  EXPECT_TRUE(Recorded().empty());
  request_ = signed_one;
  EXPECT_OK(Issue().status) << "control";
}

TEST_F(DeviceKeyPipelineTest, ARepeatHasTheSameProofOrANewOne) {
  Enrol(device_);
  Sign(device_);
  const IssueOutcome first = Issue();
  ASSERT_OK(first.status);
  const IssueOutcome again = Issue();
  ASSERT_OK(again.status);
  EXPECT_EQ(again.response.certificate(), first.response.certificate());
  clock_.Advance(minutes(6));
  EXPECT_THAT(Issue().status,
              FailsWith(ErrorReason::kDeviceProofRefused, "device_proof.signed_at"));
  Sign(device_);
  const IssueOutcome late = Issue();
  ASSERT_OK(late.status);
  EXPECT_EQ(late.response.certificate(), first.response.certificate());
  request_.clear_device_proof();
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kDeviceProofMissing));
  EXPECT_EQ(Recorded().size(), 1u);
}

TEST_F(DeviceKeyPipelineTest, AKeyThatWasRemovedProvesNothingAndFreesNobody) {
  Enrol(device_);
  Remove(device_, /*releases=*/false);
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kDeviceProofMissing));
  Sign(device_);
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kDeviceProofRefused, "device_proof"));
  // It was installed anew, and has another key.
  const DeviceSigner reinstalled;
  Enrol(reinstalled);
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kDeviceProofRefused));
  Sign(reinstalled);
  EXPECT_OK(Issue().status);
  Remove(reinstalled, /*releases=*/true);
  request_.set_request_id("request-2");
  request_.clear_device_proof();
  EXPECT_OK(Issue().status) << "the device was let go";
}

TEST_F(DeviceKeyPipelineTest, ATenantMayRequireAKeyOfAll) {
  Use(DeviceKeyUse::kRequired);
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kDeviceProofMissing, "device_proof"));
  Sign(device_);
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kDeviceProofRefused, "device_proof"));
  Enrol(device_, /*approves=*/false);
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kDeviceProofRefused, "device_proof"));
  EXPECT_TRUE(verdicts_.questions.empty());
  Enrol(device_);
  EXPECT_OK(Issue().status);
}

TEST_F(DeviceKeyPipelineTest, WhereItIsOffNobodyLooks) {
  Use(DeviceKeyUse::kOff);
  Enrol(device_);
  EXPECT_OK(Issue().status);
  request_.set_request_id("request-2");
  Sign(DeviceSigner());
  EXPECT_OK(Issue().status) << "devices that sign go on";
}

// Counts what is read of the store.
class CountedFacts final : public DecisionFactsStore {
 public:
  explicit CountedFacts(DecisionFactsStore* store) : store_(store) {}
  absl::StatusOr<DecisionFacts> ReadDecisionFacts(const DecisionSubject& subject,
                                                  Timestamp now) override {
    ++reads;
    return store_->ReadDecisionFacts(subject, now);
  }

  int reads = 0;

 private:
  DecisionFactsStore* const store_;
};

TEST_F(DeviceKeyPipelineTest, TheKeyAndTheVerdictCostOneRead) {
  directory_.Write("contoso.yaml",
                   "version: v1\nreport_validity: 24h\ndisk_encryption: {enabled: true}\n");
  v1::DeviceState state;
  state.mutable_disk_encryption()->set_enabled(true);
  ASSERT_OK(store_->PutDevice(
      {"contoso", "laptop-1", state.SerializeAsString(), clock_.Now(), "inventory"}));
  CountedFacts counted(&*store_);
  facts_.emplace(&counted);
  ComplianceEngine engine(directory_.path(), &*facts_, &clock_);
  compliance_.emplace(EmbeddedComplianceStub(&engine), ComplianceClientOptions(), &clock_);
  Use(DeviceKeyUse::kWhenEnrolled);
  Enrol(device_);
  Sign(device_);
  ASSERT_OK(Issue().status);
  EXPECT_EQ(counted.reads, 1);
  // A block that is put between two requests counts for the second.
  BlockRecord block;
  block.tenant_id = "contoso";
  block.subject = "laptop-1";
  ASSERT_OK(store_->Block(block, {clock_.Now(), "cli", "stolen"}));
  request_.set_request_id("request-2");
  Sign(device_);
  EXPECT_THAT(Issue().status, FailsWith(ErrorReason::kDeviceNotCompliant));
  EXPECT_EQ(counted.reads, 2);
}

TEST_F(DeviceKeyPipelineTest, OneOfABatchFailsAlone) {
  Enrol(device_);
  Sign(device_);
  v1::IssueCertificateRequest unsigned_one = request_, other = request_;
  unsigned_one.clear_device_proof();
  unsigned_one.set_request_id("request-2");
  other.set_device_id("laptop-2");
  other.set_request_id("request-3");
  other.clear_device_proof();
  class Waiting final : public IssueTask {
   public:
    bool CallerIsGone() const override { return false; }
    void Finished() override {}
  };
  Waiting tasks[3];
  v1::IssueCertificateResponse responses[3];
  const v1::IssueCertificateRequest* const requests[] = {&request_, &unsigned_one, &other};
  IssueTask* all[3];
  for (int i = 0; i < 3; ++i) {
    tasks[i].caller = &broker_;
    tasks[i].request = requests[i];
    tasks[i].response = &responses[i];
    all[i] = &tasks[i];
  }
  pipeline_->IssueAll(all, Pipeline::Patience::kWaits);
  EXPECT_OK(tasks[0].status);
  EXPECT_THAT(tasks[1].status, FailsWith(ErrorReason::kDeviceProofMissing));
  EXPECT_OK(tasks[2].status);
}

}  // namespace
}  // namespace hourglass::issuance
