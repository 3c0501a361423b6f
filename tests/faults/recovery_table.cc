#include "tests/faults/recovery_table.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <vector>

#include "absl/strings/str_format.h"

namespace hourglass {
namespace {

std::string Latency(Milliseconds latency) {
  return latency.count() == 0 ? "" : absl::StrFormat("%.1f", latency.count());
}

class Table : public testing::Environment {
 public:
  void Add(const Recovery& recovery) { rows_.push_back(recovery); }

  void TearDown() override {
    std::printf(
        "\n| fault | what happened | back after ms | calls failed | others' p99 ms before | during "
        "|\n|---|---|---|---|---|---|\n");
    for (const Recovery& row : rows_) {
      std::printf("| %s | %s | %.0f | %d | %s | %s |\n", row.fault.c_str(),
                  row.what_happened.c_str(), row.back_after.count(), row.calls_failed,
                  Latency(row.others_before).c_str(), Latency(row.others_during).c_str());
    }
  }

 private:
  std::vector<Recovery> rows_;
};

// GoogleTest owns it.
Table& TheTable() {
  static Table& table = *static_cast<Table*>(testing::AddGlobalTestEnvironment(new Table));
  return table;
}

// Registered before the tests run.
[[maybe_unused]] const Table& registered = TheTable();

}  // namespace

void AddToTable(const Recovery& recovery) { TheTable().Add(recovery); }

}  // namespace hourglass
