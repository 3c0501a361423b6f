#include "ca/encoding/time.h"

#include "absl/strings/str_format.h"

namespace hourglass::ca {
namespace {

constexpr std::size_t kUtcTimeSize = 13;          // YYMMDDHHMMSSZ
constexpr std::size_t kGeneralizedTimeSize = 15;  // YYYYMMDDHHMMSSZ

void AppendDigits(unsigned value, int digits, std::string* out) {
  const std::size_t end = out->size() + static_cast<std::size_t>(digits);
  out->resize(end);
  for (std::size_t i = 1; i <= static_cast<std::size_t>(digits); ++i, value /= 10) {
    (*out)[end - i] = static_cast<char>('0' + value % 10);
  }
}

// Takes `count` digits off the front of `text`.
std::optional<unsigned> TakeDigits(std::size_t count, absl::string_view* text) {
  unsigned value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const char c = (*text)[i];
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  text->remove_prefix(count);
  return value;
}

// MMDDHHMMSSZ of `year`.
std::optional<Time> RestOfYear(unsigned year, absl::string_view text) {
  unsigned fields[5];
  for (unsigned& field : fields) {
    const std::optional<unsigned> value = TakeDigits(2, &text);
    if (!value.has_value()) return std::nullopt;
    field = *value;
  }
  const std::chrono::year_month_day day(std::chrono::year(static_cast<int>(year)),
                                        std::chrono::month(fields[0]), std::chrono::day(fields[1]));
  if (!day.ok() || fields[2] > 23 || fields[3] > 59 || fields[4] > 59 || text != "Z") {
    return std::nullopt;
  }
  return std::chrono::sys_days(day) + std::chrono::hours(fields[2]) +
         std::chrono::minutes(fields[3]) + std::chrono::seconds(fields[4]);
}

}  // namespace

std::size_t EncodedTimeSize(Time time) {
  return 2 + (time < kFirstGeneralizedTime ? kUtcTimeSize : kGeneralizedTimeSize);
}

void AppendTime(Time time, std::string* out) {
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day day(midnight);
  const std::chrono::hh_mm_ss clock(time - midnight);
  const unsigned year = static_cast<unsigned>(static_cast<int>(day.year()));
  if (time < kFirstGeneralizedTime) {
    der::AppendHeader(der::kUtcTime, kUtcTimeSize, out);
    AppendDigits(year % 100, 2, out);
  } else {
    der::AppendHeader(der::kGeneralizedTime, kGeneralizedTimeSize, out);
    AppendDigits(year, 4, out);
  }
  AppendDigits(static_cast<unsigned>(day.month()), 2, out);
  AppendDigits(static_cast<unsigned>(day.day()), 2, out);
  AppendDigits(static_cast<unsigned>(clock.hours().count()), 2, out);
  AppendDigits(static_cast<unsigned>(clock.minutes().count()), 2, out);
  AppendDigits(static_cast<unsigned>(clock.seconds().count()), 2, out);
  out->push_back('Z');
}

std::string FormatTime(Time time) {
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day day(midnight);
  const std::chrono::hh_mm_ss clock(time - midnight);
  return absl::StrFormat("%04d-%02d-%02d %02d:%02d:%02d UTC", static_cast<int>(day.year()),
                         static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                         clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<Time> ReadTime(der::Reader* reader) {
  der::Reader ahead = *reader;
  const std::optional<der::Element> element = ahead.ReadAny();
  if (!element.has_value()) return std::nullopt;
  absl::string_view text = element->content;
  std::optional<unsigned> year;
  if (element->tag == der::kUtcTime && text.size() == kUtcTimeSize) {
    year = TakeDigits(2, &text);
    if (year.has_value()) *year += *year < 50 ? 2000 : 1900;
  } else if (element->tag == der::kGeneralizedTime && text.size() == kGeneralizedTimeSize) {
    year = TakeDigits(4, &text);
    if (year.has_value() && *year < 2050) year.reset();
  }
  if (!year.has_value()) return std::nullopt;
  const std::optional<Time> time = RestOfYear(*year, text);
  if (time.has_value()) *reader = ahead;
  return time;
}

}  // namespace hourglass::ca
