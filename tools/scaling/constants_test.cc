// The constants beside what was measured, and the simulation beside docs/performance.md.
#include "tools/scaling/constants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/temporary_directory.h"
#include "tools/scaling/cell.h"

namespace hourglass::scaling {
namespace {

using testing::HasSubstr;

TEST(ConstantsTest, ACertificateInPostgresqlCostsWhatWasMeasuredAtEachSizeOfABatch) {
  const auto cost = [](double batch) { return kCertificateUs + 2 * kTransactionUs / batch; };
  EXPECT_NEAR(cost(1), 387, 4);
  EXPECT_NEAR(cost(8), 92, 1);
  EXPECT_NEAR(cost(32), 61, 1);
}

TEST(ConstantsTest, TheCellHasAHundredTimesTheCores) {
  const CellModel cell = HundredTimes();
  const int standby = cell.database.cores;
  EXPECT_EQ(cell.replica.replicas * cell.replica.cores + cell.database.cores + standby, 200);
}

TEST(ConstantsTest, FullBatchesCostWhatTheServiceWasMeasuredAt) {
  const CertificateCost cost = CostOf(123, kSignatureUs);
  EXPECT_NEAR(cost.call + cost.lane + cost.signature + cost.batch / 64, 123, 0.01);
}

class ComparisonTest : public testing::TestWithParam<std::uint64_t> {};

// With bounds as wide as the model is coarse.
TEST_P(ComparisonTest, TheSimulationComesOutNearWhatWasMeasured) {
  int held = 0;
  for (const Comparison& row : CompareWithMeasured(GetParam())) {
    if (row.at_least == 0) continue;
    ++held;
    EXPECT_GE(row.simulated / row.measured, row.at_least) << row.figure;
    EXPECT_LE(row.simulated / row.measured, row.at_most) << row.figure;
  }
  EXPECT_GE(held, 8);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ComparisonTest, testing::Values(1, 2));

// Where the benchmark is run again and the page is written anew, the constants are to follow.
TEST(ComparisonTest, WhatIsComparedWithStandsInThePage) {
  const std::string page = ReadFileOrDie("docs/performance.md");
  for (const Comparison& row : CompareWithMeasured(1)) {
    const std::string figure = absl::StrReplaceAll(row.figure, {{" (fitted)", ""}});
    const std::string value = absl::StrCat(row.measured, " ", row.unit);
    EXPECT_THAT(page, HasSubstr(absl::StrCat("| ", figure, " | ", value, " |"))) << figure;
  }
  for (const char* row :
       {"| software P-256: server CPU per certificate | 123 us |",
        "| software P-256: load generator's CPU per certificate | 26.5 us |",
        "| TPM-sealed P-256: server CPU per certificate | 132 us |",
        "| TPM-sealed P-256: load generator's CPU per certificate | 29.0 us |",
        "| SoftHSM P-256: server CPU per certificate | 190 us |",
        "| SoftHSM P-256: keyholders' CPU per certificate | 55.6 us |",
        "| SoftHSM P-256: load generator's CPU per certificate | 31.7 us |",
        "| SoftHSM RSA-2048: server CPU per certificate | 199 us |",
        "| SoftHSM RSA-2048: keyholders' CPU per certificate | 503 us |",
        "| SoftHSM RSA-2048: load generator's CPU per certificate | 40.4 us |",
        "| flood, RSA-2048: server CPU per refusal | 25.1 us |",
        "| flood, RSA-2048: rate at saturation, on half of the processors | 3223 certificates/s |",
        "| flood, RSA-2048: requests sent | 9688 requests/s |"}) {
    EXPECT_THAT(page, HasSubstr(row));
  }
}

}  // namespace
}  // namespace hourglass::scaling
