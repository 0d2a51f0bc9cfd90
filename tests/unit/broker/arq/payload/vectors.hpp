// Payloads that arq itself wrote.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/broker/arq/payload/payload_helpers.hpp"

namespace quarq::broker::arq::payload_tests {

// Made by arq itself: the_task(1, "x", a=True), enqueued at 1 700 000 000 000.
inline const std::vector<std::pair<arq_codec, std::string>> the_jobs = {
    {arq_codec::pickle,
     from_hex("8004953c000000000000007d94288c0174944e8c0166948c087468655f7461736b948c0161944b018c01"
              "789486948c016b947d94680488738c026574948a060068e5cf8b01752e")},
    {arq_codec::pickle,
     from_hex("8005953c000000000000007d94288c0174944e8c0166948c087468655f7461736b948c0161944b018c01"
              "789486948c016b947d94680488738c026574948a060068e5cf8b01752e")},
    {arq_codec::pickle,
     from_hex("80027d71002858010000007471014e580100000066710258080000007468655f7461736b710358010000006171044b"
              "01580100"
              "000078710586710658010000006b71077d7108680488735802000000657471098a060068e5cf8b01752e")},
    {arq_codec::msgpack,
     from_hex("85a174c0a166a87468655f7461736ba1619201a178a16b81a161c3a26574cf0000018bcfe56800")},
};
inline const std::string tried_three_times = from_hex(
    "80049532000000000000007d94288c0174944b038c0166948c087468655f7461736b948c016194298c016b947d948c026574948a"
    "060068e5"
    "cf8b01752e");
inline const std::string nested = from_hex(
    "80049571000000000000007d94288c0174944e8c01669468028c016194285d94284b014740040000000000004e430200ff948c02"
    "c3a99465"
    "7d948c016b945d9428888965734afbffffff8a0500000080008a090000000000000080008a09000000000000000040749468087d"
    "948c0265"
    "74948a060068e5cf8b01752e");
// The first job's result 42: id1, try 1, started 100 ms after it was enqueued, finished 100 ms later.
inline const std::string result_pickle = from_hex(
    "8004957d000000000000007d94288c0174944b018c0166948c087468655f7461736b948c0161944b018c01789486948c016b947d"
    "94680488"
    "738c026574948a060068e5cf8b018c017394888c0172944b2a8c027374948a066468e5cf8b018c026674948a06c868e5cf8b018c"
    "0171948c"
    "096172713a7175657565948c026964948c0369643194752e");
inline const std::string result_msgpack = from_hex(
    "8ba17401a166a87468655f7461736ba1619201a178a16b81a161c3a26574cf0000018bcfe56800a173c3a1722aa27374cf000001"
    "8bcfe568"
    "64a26674cf0000018bcfe568c8a171a96172713a7175657565a26964a3696431");

/// The pickle of a result that arq wrote of a failure: `exception` stands for r, `success` for s.
inline std::string failure(std::string_view exception) {
  // Without its frame and with False for True; PROTO 4 stays.
  std::string payload = "\x80\x04" + result_pickle.substr(11);
  const auto success = payload.find("\x8c\x01s\x94\x88");
  payload[success + 4] = '\x89';
  const std::string r = "\x8c\x01r\x94";
  payload.replace(payload.find(r) + r.size(), 2, from_hex(exception));
  return payload;
}

}  // namespace quarq::broker::arq::payload_tests
