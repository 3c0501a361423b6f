#include "tools/bench/service/service_benchmark.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "tools/bench/service/admission_benchmark.h"
#include "tools/bench/service/key_place_costs.h"
#include "tools/bench/service/promotion_benchmark.h"
#include "tools/bench/service/saturation.h"
#include "tools/bench/service/scratch.h"

namespace hourglass::bench {

absl::Status MeasureService(const Options& options, Report& report) {
  using Part = absl::Status (*)(const Options&, const LoadEffort&, Report&);
  const TemporaryDirectoriesIn scratch(options.scratch_directory);
  const LoadEffort effort = EffortOf(options.quick);
  absl::Status first;
  int failed = 0;
  // One that fails keeps none of the others from being measured.
  for (const Part part : {Part(MeasureSoftwareKeys), Part(MeasureSofthsm), Part(MeasureSealedKey),
                          Part(MeasureAdmission), Part(MeasurePromotions)}) {
    const absl::Status status = part(options, effort, report);
    if (!status.ok()) {
      ++failed;
      Progress(absl::StrCat("  ", std::string(status.message())));
    }
    first.Update(status);
  }
  report.Add({.section = kServiceSection,
              .name = "parts that met errors",
              .value = static_cast<double>(failed),
              .unit = "parts",
              .target = TargetId::kErrors});
  return first;
}

}  // namespace hourglass::bench
