#include "tests/abuse/mixed/sound_load.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hourglass {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kCallDeadline(10);
constexpr std::chrono::milliseconds kPause(50);

bool MayBeAskedAgain(grpc::StatusCode code) {
  return code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::RESOURCE_EXHAUSTED ||
         code == grpc::StatusCode::DEADLINE_EXCEEDED;
}

}  // namespace

SoundLoad::SoundLoad(Options options) : options_(std::move(options)) {
  for (std::size_t i = 0; i < options_.stubs.size(); ++i) {
    brokers_.emplace_back([this, i] { Run(i); });
  }
}

void SoundLoad::Stop() {
  stopping_ = true;
  for (std::thread& broker : brokers_) broker.join();
  brokers_.clear();
}

std::vector<std::chrono::microseconds> SoundLoad::TakeTimes() {
  std::vector<std::chrono::microseconds> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(times_);
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

std::string SoundLoad::last_failure() const {
  const std::lock_guard lock(mutex_);
  return last_failure_;
}

void SoundLoad::Run(std::size_t broker) {
  v1::IssueCertificateRequest request = options_.request;
  auto next = steady_clock::now();
  for (int count = 0; !stopping_; ++count) {
    request.set_request_id(absl::StrCat("broker-", broker, "-", count));
    Ask(broker, request);
    next = std::max(next + options_.pace, steady_clock::now());
    std::this_thread::sleep_until(next);
  }
}

void SoundLoad::Ask(std::size_t broker, v1::IssueCertificateRequest& request) {
  const auto began = steady_clock::now();
  for (;;) {
    v1::IssueCertificateResponse response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
    const grpc::Status status =
        options_.stubs[broker]->IssueCertificate(&context, request, &response);
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - began);
    if (status.ok()) {
      const std::lock_guard lock(mutex_);
      times_.push_back(took);
      certificates_[request.request_id()] = response.certificate();
      return;
    }
    if (!MayBeAskedAgain(status.error_code()) || took > kPatience) {
      ++lost_;
      const std::lock_guard lock(mutex_);
      last_failure_ = absl::StrCat(request.request_id(), ": ", status.error_code(), " ",
                                   status.error_message());
      return;
    }
    ++asked_again_;
    std::this_thread::sleep_for(kPause);
  }
}

std::chrono::microseconds Quantile(const std::vector<std::chrono::microseconds>& times,
                                   double share) {
  const auto index = static_cast<std::size_t>(static_cast<double>(times.size() - 1) * share);
  return times[index];
}

}  // namespace hourglass
