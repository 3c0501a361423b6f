#include "tools/broker/enrolling.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/digest.h"
#include "hourglass/v1/device_keys.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "tools/agent/call.h"
#include "tools/broker/device_signer.h"
#include "tools/client/files.h"

namespace hourglass::broker {
namespace {

std::string StateInWords(v1::DeviceKeyState state) {
  switch (state) {
    case v1::DEVICE_KEY_PENDING:
      return "pending";
    case v1::DEVICE_KEY_APPROVED:
      return "approved";
    default:
      return "unknown";
  }
}

absl::StatusOr<v1::EnrolDeviceKeyRequest> Question(const Enrolment& enrolment,
                                                   agent::Waiter& waiter) {
  ASSIGN_OR_RETURN(const std::string content, client::ReadWholeFile(enrolment.public_key_file));
  v1::EnrolDeviceKeyRequest question;
  question.set_tenant_id(enrolment.tenant);
  question.set_device_id(enrolment.device);
  ASSIGN_OR_RETURN(*question.mutable_public_key(), ReadPublicKey(content));
  if (!enrolment.access_token_file.empty()) {
    ASSIGN_OR_RETURN(const std::string token, client::ReadWholeFile(enrolment.access_token_file));
    question.set_access_token(std::string(absl::StripAsciiWhitespace(token)));
  }
  const std::string sha256 = ca::Sha256(question.public_key());
  const issuance::DeviceEnrolment subject = {question.tenant_id(), question.device_id(), sha256};
  ASSIGN_OR_RETURN(*question.mutable_proof(), SignByDevice(
                                                  enrolment.sign_with,
                                                  [&subject](const issuance::StatementMark& mark) {
                                                    return StatementOf(subject, mark);
                                                  },
                                                  waiter));
  return question;
}

}  // namespace

absl::StatusOr<std::string> ReadPublicKey(absl::string_view content) {
  const BioPtr bio(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
  EvpPkeyPtr key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) {
    const auto* next = reinterpret_cast<const unsigned char*>(content.data());
    const auto* const end = next + content.size();
    key.reset(d2i_PUBKEY(nullptr, &next,
                         static_cast<long>(content.size())));  // NOLINT(google-runtime-int)
    if (next != end) key.reset();
  }
  static_cast<void>(DrainOpensslErrors());
  if (key == nullptr) {
    return Error(ErrorReason::kFieldInvalid, "--public-key",
                 "holds no public key: `openssl pkey -in KEY -pubout` writes one");
  }
  return hsm::EncodePublicKey(*key);
}

absl::StatusOr<v1::DeviceKey> Enrol(const Enrolment& enrolment,
                                    const client::ConnectionConfig& config, agent::Waiter& waiter) {
  ASSIGN_OR_RETURN(const client::Connection connection, client::Connection::Open(config));
  ASSIGN_OR_RETURN(const v1::EnrolDeviceKeyRequest question, Question(enrolment, waiter));
  v1::DeviceKey key;
  v1::DeviceKeyService::Stub stub(connection.channel());
  const grpc::Status status = agent::CallUnlessStopped(
      waiter, config.timeout,
      [&](grpc::ClientContext* context, std::function<void(grpc::Status)> done) {
        stub.async()->EnrolDeviceKey(context, &question, &key, std::move(done));
      });
  if (!status.ok()) return client::CallError(status, connection.server());
  return key;
}

std::string EnrolledInWords(const v1::DeviceKey& key) {
  const std::string what = absl::StrCat("Enrolled for ", key.device_id(), ": key ", key.key_id());
  if (key.state() == v1::DEVICE_KEY_APPROVED) {
    return absl::StrCat(what,
                        ".\nIt is approved: the device is issued to only what it signs with it.\n");
  }
  return absl::StrCat(
      what,
      ".\nIt waits for an administrator, who compares the key's id with this one first:\n"
      "  hourglass device-keys approve --tenant ",
      key.tenant_id(), " ", key.key_id(), " --reason REASON\n");
}

client::Json EnrolledAsJson(const v1::DeviceKey& key) {
  return {{"tenant_id", key.tenant_id()},
          {"device_id", key.device_id()},
          {"key_id", key.key_id()},
          {"state", StateInWords(key.state())}};
}

}  // namespace hourglass::broker
