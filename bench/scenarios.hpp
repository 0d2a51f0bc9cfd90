#pragma once

namespace quarq::bench {

/// `quarq-bench scenario NAME BROKER`: one of bullmq-bench's scenarios; prints {"jobs", "seconds"}.
/// bench/peers/bullmq_bench.py calls it.
int scenario_main(int argc, char** argv);

}  // namespace quarq::bench
