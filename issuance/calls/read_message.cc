#include "issuance/calls/read_message.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

namespace hourglass::issuance {

bool HasAtMostFields(grpc::ByteBuffer* octets, int most) {
  grpc::ProtoBufferReader reader(octets);
  if (!reader.status().ok()) return true;
  google::protobuf::io::CodedInputStream input(&reader);
  for (int fields = 0;; ++fields) {
    const std::uint32_t tag = input.ReadTag();
    if (tag == 0) return true;
    if (fields == most) return false;
    if (!google::protobuf::internal::WireFormatLite::SkipField(&input, tag)) return true;
  }
}

}  // namespace hourglass::issuance
