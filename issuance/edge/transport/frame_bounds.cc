#include "issuance/edge/transport/frame_bounds.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

// RFC 9113 sections 4.1 and 6.
constexpr std::size_t kHeadSize = 9;
constexpr std::uint8_t kData = 0;
constexpr std::uint8_t kHeaders = 1;
constexpr std::uint8_t kResetStream = 3;
constexpr std::uint8_t kSettings = 4;
constexpr std::uint8_t kContinuation = 9;
constexpr std::uint8_t kAcknowledged = 0x01;
constexpr std::uint8_t kEndStream = 0x01;
constexpr std::uint8_t kPadded = 0x08;

constexpr int kPrefixSize = 5;  // of a gRPC message

std::uint32_t NumberAt(absl::string_view octets, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (const char octet : octets.substr(at, size)) {
    value = value << 8 | static_cast<unsigned char>(octet);
  }
  return value;
}

}  // namespace

const std::string& FrameBounds::Take(absl::string_view octets) {
  if (!wrong_.empty()) return wrong_;
  const std::size_t of_preface = std::min(preface_left_, octets.size());
  preface_left_ -= of_preface;
  octets.remove_prefix(of_preface);
  while (!octets.empty() && wrong_.empty()) {
    if (head_.size() < kHeadSize) {
      TakeHead(octets);
    } else {
      TakePayload(octets);
    }
  }
  return wrong_;
}

int FrameBounds::TakeBegun() { return std::exchange(begun_, 0); }

void FrameBounds::TakeHead(absl::string_view& octets) {
  const std::size_t size = std::min(kHeadSize - head_.size(), octets.size());
  absl::StrAppend(&head_, octets.substr(0, size));
  octets.remove_prefix(size);
  if (head_.size() < kHeadSize) return;
  payload_left_ = NumberAt(head_, 0, 3);
  type_ = static_cast<std::uint8_t>(head_[3]);
  flags_ = static_cast<std::uint8_t>(head_[4]);
  stream_ = NumberAt(head_, 5, 4) & 0x7FFF'FFFF;
  BeginFrame();
  if (payload_left_ == 0 && wrong_.empty()) EndFrame();
}

// Before the payload is there: what is too much need not come.
void FrameBounds::BeginFrame() {
  if (type_ == kHeaders || type_ == kContinuation) CountBlock();
  if (type_ == kHeaders && stream_ > latest_stream_) {
    latest_stream_ = stream_;
    ++begun_;
  }
  if (type_ == kSettings && (flags_ & kAcknowledged) != 0) settled_ = true;
  if (settled_) return;
  unsettled_octets_ += kHeadSize + payload_left_;
  if (unsettled_octets_ > kMostUnsettledOctets) {
    wrong_ =
        absl::StrCat("the settings are not acknowledged within ", kMostUnsettledOctets, " octets");
  }
}

void FrameBounds::CountBlock() {
  if (type_ == kHeaders) {
    block_frames_ = 0;
    block_octets_ = 0;
  }
  ++block_frames_;
  block_octets_ += payload_left_;
  if (block_frames_ > kMostBlockFrames) {
    wrong_ = absl::StrCat("a header block has more than ", kMostBlockFrames, " frames");
  } else if (block_octets_ > kMostBlockOctets) {
    wrong_ = absl::StrCat("a header block has more than ", kMostBlockOctets, " octets");
  }
}

void FrameBounds::TakePayload(absl::string_view& octets) {
  const std::size_t size = std::min<std::size_t>(payload_left_, octets.size());
  // gRPC takes no padded DATA: it ends the stream.
  if (type_ == kData && (flags_ & kPadded) == 0) TakeMessages(octets.substr(0, size));
  octets.remove_prefix(size);
  payload_left_ -= static_cast<std::uint32_t>(size);
  if (payload_left_ == 0 && wrong_.empty()) EndFrame();
}

void FrameBounds::TakeMessages(absl::string_view octets) {
  Stream& stream = streams_[stream_];
  if (streams_.size() > kMostStreams) {
    wrong_ = absl::StrCat("more than ", kMostStreams, " streams have not ended");
    return;
  }
  while (!octets.empty()) {
    if (stream.left == 0) {
      const auto octet = static_cast<unsigned char>(octets.front());
      octets.remove_prefix(1);
      if (stream.prefix == 0) {
        stream.is_compressed = octet != 0;
        stream.length = 0;
      } else {
        stream.length = stream.length << 8 | octet;
      }
      if (++stream.prefix < kPrefixSize) continue;
      stream.prefix = 0;
      stream.left = stream.length;
      continue;
    }
    const std::size_t size = std::min<std::size_t>(stream.left, octets.size());
    octets.remove_prefix(size);
    stream.left -= static_cast<std::uint32_t>(size);
    if (stream.is_compressed || stream.length > most_octets_) {
      refused_octets_ += size;
    }
  }
  if (refused_octets_ > kMostRefusedOctets) {
    wrong_ = absl::StrCat("messages that are compressed or longer than ", most_octets_,
                          " octets have more than ", kMostRefusedOctets, " octets together");
  }
}

void FrameBounds::EndFrame() {
  head_.clear();
  const bool ends = type_ == kResetStream ||
                    ((type_ == kData || type_ == kHeaders) && (flags_ & kEndStream) != 0);
  if (!ends) {
    // Between two messages there is nothing to know.
    const auto found = type_ == kData ? streams_.find(stream_) : streams_.end();
    if (found != streams_.end() && found->second.prefix == 0 && found->second.left == 0) {
      streams_.erase(found);
    }
    return;
  }
  streams_.erase(stream_);
}

}  // namespace hourglass::issuance
