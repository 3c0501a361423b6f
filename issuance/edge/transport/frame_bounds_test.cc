#include "issuance/edge/transport/frame_bounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/edge/transport/message_size.h"
#include "tests/support/raw_http2.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string Beginning() {
  return absl::StrCat(kPreface, http2::Frame(http2::kSettings, 0, 0, ""),
                      http2::Frame(http2::kSettings, http2::kAcknowledged, 0, ""));
}

// What is found wrong, which must not hang on the pieces in which the octets come.
std::string WrongIn(const std::string& octets) {
  FrameBounds whole;
  const std::string wrong = whole.Take(octets);
  for (const std::size_t size : {1, 7, 4096}) {
    FrameBounds pieces;
    for (std::size_t at = 0; at < octets.size(); at += size) pieces.Take(octets.substr(at, size));
    EXPECT_EQ(pieces.Take(""), wrong) << size;
  }
  return wrong;
}

std::string Block(int frames, std::size_t octets_each) {
  std::string block = http2::Frame(http2::kHeaders, frames == 1 ? http2::kEndHeaders : 0, 1,
                                   std::string(octets_each, 'x'));
  for (int i = 2; i <= frames; ++i) {
    absl::StrAppend(&block, http2::Frame(http2::kContinuation, i == frames ? http2::kEndHeaders : 0,
                                         1, std::string(octets_each, 'x')));
  }
  return block;
}

std::string Announced(std::uint32_t stream, std::uint32_t size, std::size_t sent) {
  std::string octets = http2::Frame(http2::kData, 0, stream,
                                    absl::StrCat(std::string(1, '\0'), http2::Number(size)));
  for (; sent > 0; sent -= std::min<std::size_t>(sent, 16'384)) {
    absl::StrAppend(&octets, http2::Frame(http2::kData, 0, stream,
                                          std::string(std::min<std::size_t>(sent, 16'384), 'x')));
  }
  return octets;
}

TEST(FrameBoundsTest, SoundCallsAreWithin) {
  std::string octets = Beginning();
  for (std::uint32_t stream = 1; stream < 2 * 10'000; stream += 2) {
    absl::StrAppend(&octets, http2::Headers(stream, std::string(200, 'x')),
                    http2::Frame(http2::kData, http2::kEndStream, stream,
                                 http2::Message(std::string(900, 'x'))));
  }
  EXPECT_EQ(WrongIn(octets), "");
}

TEST(FrameBoundsTest, TellsHowManyStreamsBegan) {
  FrameBounds bounds;
  EXPECT_EQ(bounds.Take(Beginning()), "");
  EXPECT_EQ(bounds.TakeBegun(), 0);
  const std::string octets =
      absl::StrCat(http2::Headers(1, "x"), http2::Reset(1), http2::Headers(3, "x"),
                   http2::Frame(http2::kData, http2::kEndStream, 3, "x"));
  EXPECT_EQ(bounds.Take(octets.substr(0, octets.size() - 5)), "");
  EXPECT_EQ(bounds.TakeBegun(), 2);
  EXPECT_EQ(bounds.Take(octets.substr(octets.size() - 5)), "");
  EXPECT_EQ(bounds.TakeBegun(), 0);
  // Trailers, and continuations, begin none.
  EXPECT_EQ(bounds.Take(absl::StrCat(
                http2::Headers(3, "x"), http2::Frame(http2::kHeaders, 0, 5, ""),
                http2::Frame(http2::kContinuation, 4, 5, "x"), http2::Headers(1, "x"))),
            "");
  EXPECT_EQ(bounds.TakeBegun(), 1);
}

TEST(FrameBoundsTest, BlocksHaveFewFrames) {
  EXPECT_EQ(WrongIn(absl::StrCat(Beginning(), Block(FrameBounds::kMostBlockFrames, 0),
                                 Block(FrameBounds::kMostBlockFrames, 10))),
            "");
  EXPECT_THAT(WrongIn(absl::StrCat(Beginning(), Block(FrameBounds::kMostBlockFrames + 1, 0))),
              HasSubstr("a header block has more than 4 frames"));
}

TEST(FrameBoundsTest, BlocksHaveFewOctets) {
  EXPECT_EQ(WrongIn(absl::StrCat(Beginning(), Block(2, FrameBounds::kMostBlockOctets / 2))), "");
  EXPECT_THAT(WrongIn(absl::StrCat(Beginning(), Block(2, FrameBounds::kMostBlockOctets / 2 + 1))),
              HasSubstr("a header block has more than 32768 octets"));
  // At the head of the frame: its payload need not come.
  FrameBounds bounds;
  EXPECT_EQ(bounds.Take(Beginning()), "");
  EXPECT_THAT(bounds.Take(std::string("\x01\x00\x00\x01\x00\x00\x00\x00\x01", 9)),
              HasSubstr("32768 octets"));
}

TEST(FrameBoundsTest, SettingsAreAcknowledged) {
  const std::string before =
      absl::StrCat(kPreface, Block(1, FrameBounds::kMostBlockOctets), Announced(1, 1U << 30, 0));
  EXPECT_EQ(WrongIn(before), "");
  std::string late = before;
  for (int i = 0; i < 8; ++i) absl::StrAppend(&late, Block(1, FrameBounds::kMostBlockOctets));
  EXPECT_THAT(WrongIn(late), HasSubstr("not acknowledged within 262144 octets"));
}

TEST(FrameBoundsTest, MessagesThatAreTooLargeAreFew) {
  const std::size_t most = FrameBounds::kMostRefusedOctets;
  EXPECT_EQ(WrongIn(absl::StrCat(Beginning(), Announced(1, 1U << 30, most))), "");
  EXPECT_THAT(WrongIn(absl::StrCat(Beginning(), Announced(1, 1U << 30, most + 1))),
              HasSubstr("messages that are compressed or longer than 65536 octets"));
  // On as many streams as one likes.
  std::string many = Beginning();
  for (std::uint32_t stream = 1; stream <= 2 * 20; stream += 2) {
    absl::StrAppend(&many, Announced(stream, 1U << 30, 60'000));
  }
  EXPECT_THAT(WrongIn(many), HasSubstr("messages that are compressed or longer than 65536 octets"));
  std::string compressed = Beginning();
  for (std::uint32_t i = 0; i < 20; ++i) {
    const std::string message = absl::StrCat("\1", http2::Number(60'000), std::string(60'000, 'x'));
    for (std::size_t at = 0; at < message.size(); at += 16'384) {
      absl::StrAppend(&compressed, http2::Frame(http2::kData, 0, 1, message.substr(at, 16'384)));
    }
    if (i == 0) {
      EXPECT_EQ(WrongIn(compressed), "");
    }
  }
  EXPECT_THAT(WrongIn(compressed), HasSubstr("messages that are compressed"));
  // The largest that may be, without end.
  std::string sound = Beginning();
  for (int i = 0; i < 40; ++i)
    absl::StrAppend(&sound, Announced(1, kMaxMessageSize, kMaxMessageSize));
  EXPECT_EQ(WrongIn(sound), "");
}

TEST(FrameBoundsTest, SomeMaySendLargerMessages) {
  std::string octets = Beginning();
  for (int i = 0; i < 20; ++i) absl::StrAppend(&octets, Announced(1, 70'000, 70'000));
  EXPECT_THAT(WrongIn(octets), HasSubstr("longer than 65536 octets"));
  EXPECT_EQ(FrameBounds(70'000).Take(octets), "");
  EXPECT_THAT(FrameBounds(69'999).Take(octets), HasSubstr("longer than 69999 octets"));
}

TEST(FrameBoundsTest, StreamsThatWereLeftInAMessageAreBounded) {
  const auto left = [](std::uint32_t streams, std::string (*after)(std::uint32_t stream)) {
    std::string octets = Beginning();
    for (std::uint32_t i = 0; i < streams; ++i) {
      const std::uint32_t stream = 2 * i + 1;
      absl::StrAppend(&octets, Announced(stream, 100, 10), after(stream));
    }
    return octets;
  };
  const auto most = static_cast<std::uint32_t>(FrameBounds::kMostStreams);
  const auto nothing = [](std::uint32_t) { return std::string(); };
  const auto reset = [](std::uint32_t stream) { return http2::Reset(stream); };
  const auto reset_with_reserved_bit = [](std::uint32_t stream) {
    return http2::Reset(stream | 0x8000'0000);
  };
  const auto end = [](std::uint32_t stream) {
    return http2::Frame(http2::kData, http2::kEndStream, stream, std::string(10, 'x'));
  };
  const auto trailers = [](std::uint32_t stream) {
    return http2::Frame(http2::kHeaders, http2::kEndHeaders | http2::kEndStream, stream, "");
  };
  const auto rest = [](std::uint32_t stream) {
    return http2::Frame(http2::kData, 0, stream, std::string(90, 'x'));
  };
  EXPECT_EQ(WrongIn(left(most, nothing)), "");
  EXPECT_THAT(WrongIn(left(most + 1, nothing)), HasSubstr("4096 streams have not ended"));
  EXPECT_EQ(WrongIn(left(most + 1, reset)), "");
  EXPECT_EQ(WrongIn(left(most + 1, reset_with_reserved_bit)), "");
  EXPECT_EQ(WrongIn(left(most + 1, end)), "");
  EXPECT_EQ(WrongIn(left(most + 1, trailers)), "");
  EXPECT_EQ(WrongIn(left(most + 1, rest)), "");
  // The flag of the end means something else in a frame of another type.
  const auto ping = [](std::uint32_t stream) {
    return http2::Frame(http2::kPing, http2::kEndStream, stream, std::string(8, 'x'));
  };
  EXPECT_THAT(WrongIn(left(most + 1, ping)), HasSubstr("4096 streams have not ended"));
}

TEST(FrameBoundsTest, StreamsAreToldApartByAllOfTheirNumber) {
  // Were both one stream, what the second sends first would be the rest of the first's message, and
  // then a message that is far too large.
  const std::uint32_t first = 0x0000'0001, second = 0x7F00'0001;
  std::string octets = absl::StrCat(Beginning(), Announced(first, 4, 0));
  for (int i = 0; i < 100; ++i) {
    absl::StrAppend(&octets,
                    http2::Frame(http2::kData, 0, second, http2::Message(std::string(16'000, 1))));
  }
  EXPECT_EQ(WrongIn(octets), "");
}

}  // namespace
}  // namespace hourglass::issuance
