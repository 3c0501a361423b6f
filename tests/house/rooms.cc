#include "tests/house/rooms.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hourglass::house {
namespace {

// Of `//issuance/edge:acceptor`; empty where that is in no room.
std::string RoomOf(absl::string_view label) {
  if (!absl::ConsumePrefix(&label, "//")) return "";
  const std::string package(label.substr(0, label.find(':')));
  const std::string top = package.substr(0, package.find('/'));
  if (top != "ca" && top != "hsm" && top != "issuance") return "";
  return absl::EndsWith(package, "/testing") ? "" : package;
}

// What stands between two double quotes, one after the other.
std::vector<std::string> Between(absl::string_view text, char mark) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, mark);
  std::vector<std::string> found;
  for (std::size_t i = 1; i + 1 < parts.size(); i += 2) found.emplace_back(parts[i]);
  return found;
}

// Each room with all that it stands on, through whatever is between.
Arrows Reach(const Arrows& arrows) {
  Arrows reach = arrows;
  for (bool grew = true; grew;) {
    grew = false;
    for (auto& [room, below] : reach) {
      std::set<std::string> more = below;
      for (const std::string& other : below) more.insert(reach[other].begin(), reach[other].end());
      grew = grew || more.size() > below.size();
      below = std::move(more);
    }
  }
  return reach;
}

}  // namespace

Arrows ArrowsOf(absl::string_view graph) {
  Arrows arrows;
  for (const absl::string_view line : absl::StrSplit(graph, '\n')) {
    const std::vector<std::string> labels = Between(line, '"');
    std::vector<std::string> rooms;
    std::transform(labels.begin(), labels.end(), std::back_inserter(rooms), RoomOf);
    for (const std::string& room : rooms) {
      if (!room.empty()) arrows[room];
    }
    if (rooms.size() != 2 || !absl::StrContains(line, "->") || rooms[0] == rooms[1]) continue;
    if (!rooms[0].empty() && !rooms[1].empty()) arrows[rooms[0]].insert(rooms[1]);
  }
  return arrows;
}

std::vector<std::set<std::string>> Circles(const Arrows& arrows) {
  const Arrows reach = Reach(arrows);
  std::set<std::set<std::string>> circles;
  for (const auto& [room, below] : reach) {
    std::set<std::string> circle;
    for (const std::string& other : below) {
      if (other != room && reach.at(other).count(room) > 0) circle.insert(other);
    }
    if (circle.empty()) continue;
    circle.insert(room);
    circles.insert(circle);
  }
  return {circles.begin(), circles.end()};
}

int Floors(const Arrows& arrows) {
  const Arrows reach = Reach(arrows);
  std::map<std::string, int> floors;
  const std::function<int(const std::string&)> floor_of = [&](const std::string& room) {
    if (const auto known = floors.find(room); known != floors.end()) return known->second;
    int below = 0;
    for (const std::string& other : reach.at(room)) {
      if (reach.at(other).count(room) == 0) below = std::max(below, floor_of(other));
    }
    return floors[room] = below + 1;
  };
  int most = 0;
  for (const auto& [room, below] : arrows) most = std::max(most, floor_of(room));
  return most;
}

std::vector<TableRow> TableOf(absl::string_view markdown) {
  std::vector<TableRow> rows;
  bool is_in_table = false;
  for (const absl::string_view line : absl::StrSplit(markdown, '\n')) {
    if (absl::StartsWith(line, "| room |")) is_in_table = true;
    if (!is_in_table) continue;
    if (!absl::StartsWith(line, "|")) break;
    const std::vector<absl::string_view> columns = absl::StrSplit(line, '|');
    if (columns.size() < 5) continue;
    const std::vector<std::string> room = Between(columns[1], '`');
    if (room.empty()) continue;
    const std::vector<std::string> below = Between(columns[3], '`');
    rows.push_back({room.front(), {below.begin(), below.end()}});
  }
  return rows;
}

std::string Describe(const Arrows& arrows) {
  std::string text;
  std::size_t count = 0;
  for (const auto& [room, below] : arrows) {
    absl::StrAppend(&text, room, " -> ", absl::StrJoin(below, " "), "\n");
    count += below.size();
  }
  const std::vector<std::set<std::string>> circles = Circles(arrows);
  for (const std::set<std::string>& circle : circles) {
    absl::StrAppend(&text, "a circle: ", absl::StrJoin(circle, " "), "\n");
  }
  absl::StrAppend(&text, arrows.size(), " rooms, ", Floors(arrows), " floors, ", count, " arrows, ",
                  circles.size(), " circles\n");
  return text;
}

}  // namespace hourglass::house
