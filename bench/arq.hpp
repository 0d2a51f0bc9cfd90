// quarq on python-arq's keys, compared to a worker in Python that speaks arq's protocol.
#pragma once

namespace quarq::bench {

/// The whole of `quarq-bench arq`.
int arq_main(int argc, char** argv);

}  // namespace quarq::bench
