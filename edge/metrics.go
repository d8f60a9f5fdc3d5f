package edge

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hl7lake/edge/quarantine"
	"hl7lake/edge/queue"
	"hl7lake/hl7"
)

// metrics are what /metrics reports, by listener.
type metrics struct {
	registry *prometheus.Registry

	received, bytes, noise, torn, refused, notKept, unsent, retries, quarantined, refusedConnections *prometheus.CounterVec
	acknowledged, delivered                                                                          *prometheus.CounterVec
	connections                                                                                      *prometheus.GaugeVec
	age                                                                                              *prometheus.HistogramVec
}

func newMetrics(q *queue.Queue, refused quarantine.Folder) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lake_edge_" + name, Help: help}, append([]string{"listener"}, labels...))
		m.registry.MustRegister(v)
		return v
	}
	m.received = counter("received_total", "Frames that ended.")
	m.bytes = counter("queued_bytes_total", "Bytes of the messages that were put into the queue.")
	m.acknowledged = counter("acknowledged_total", "Acknowledgments written, by the code of MSA-1.", "code")
	m.refused = counter("refused_total", "Frames that hold no message that can be kept, answered with AE or CE.")
	m.notKept = counter("not_kept_total", "Messages that found no room in the queue and were not answered.")
	m.unsent = counter("unsent_acknowledgments_total", "Application acknowledgments that the engine did not read in time.")
	m.torn = counter("torn_total", "Frames that were begun and not ended.")
	m.noise = counter("noise_bytes_total", "Bytes outside of frames.")
	m.delivered = counter("delivered_total", "Messages that the lake has, by whether it had them before.", "duplicate")
	m.retries = counter("retries_total", "Attempts to deliver that failed and are repeated.")
	m.quarantined = counter("quarantined_total", "Messages that the lake has refused for good.")
	m.refusedConnections = counter("refused_connections_total", "Connections that were not allowed.")
	m.connections = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "lake_edge_connections", Help: "Open connections."}, []string{"listener"})
	m.age = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "lake_edge_delivery_seconds", Help: "Time from the receipt of a message to the lake's answer.",
		Buckets: []float64{0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60, 300, 1800, 3600, 14400, 86400},
	}, []string{"listener"})
	m.registry.MustRegister(m.connections, m.age, held{q, refused})
	return m
}

// held reports what waits on disk at the time when it is asked.
type held struct {
	queue      *queue.Queue
	quarantine quarantine.Folder
}

var (
	queuedDesc       = prometheus.NewDesc("lake_edge_queue_messages", "Messages that wait for the lake.", []string{"listener"}, nil)
	queuedBytesDesc  = prometheus.NewDesc("lake_edge_queue_bytes", "What they take, encrypted.", []string{"listener"}, nil)
	oldestDesc       = prometheus.NewDesc("lake_edge_queue_oldest_seconds", "Age of the message that waits longest; 0 where none does.", []string{"listener"}, nil)
	quarantinedDesc  = prometheus.NewDesc("lake_edge_quarantine_messages", "Messages in quarantine.", nil, nil)
	quarantBytesDesc = prometheus.NewDesc("lake_edge_quarantine_bytes", "What they take, encrypted.", nil, nil)
)

// Describe implements prometheus.Collector.
func (h held) Describe(descs chan<- *prometheus.Desc) { prometheus.DescribeByCollect(h, descs) }

// Collect implements prometheus.Collector.
func (h held) Collect(values chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		values <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for _, name := range h.queue.Lanes() {
		usage := h.queue.LaneUsage(name)
		gauge(queuedDesc, float64(usage.Messages), name)
		gauge(queuedBytesDesc, float64(usage.Bytes), name)
		gauge(oldestDesc, oldest(h.queue, name).Seconds(), name)
	}
	if usage, err := h.quarantine.Usage(); err == nil {
		gauge(quarantinedDesc, float64(usage.Messages))
		gauge(quarantBytesDesc, float64(usage.Bytes))
	}
}

// oldest returns the age of the first message of a lane, 0 if there is none.
func oldest(q *queue.Queue, name string) time.Duration {
	first, err := q.Next(name, 0, 1, 1)
	if err != nil || len(first) == 0 {
		return 0
	}
	return time.Since(first[0].Received)
}

// listenerMetrics are those of one listener.
type listenerMetrics struct {
	received, bytes, noise, torn, refused, notKept, unsent, retries, quarantined, refusedConnections prometheus.Counter
	connections                                                                                      prometheus.Gauge

	acks         map[hl7.AckCode]prometheus.Counter
	first, again prometheus.Counter // delivered
	age          prometheus.Observer
}

// of returns the metrics of a listener. All of them are reported from the start.
func (m *metrics) of(listener string) listenerMetrics {
	l := listenerMetrics{
		received: m.received.WithLabelValues(listener), bytes: m.bytes.WithLabelValues(listener), noise: m.noise.WithLabelValues(listener),
		torn: m.torn.WithLabelValues(listener), refused: m.refused.WithLabelValues(listener), notKept: m.notKept.WithLabelValues(listener),
		unsent: m.unsent.WithLabelValues(listener), retries: m.retries.WithLabelValues(listener),
		quarantined: m.quarantined.WithLabelValues(listener), refusedConnections: m.refusedConnections.WithLabelValues(listener),
		connections: m.connections.WithLabelValues(listener), acks: map[hl7.AckCode]prometheus.Counter{},
		first: m.delivered.WithLabelValues(listener, "false"), again: m.delivered.WithLabelValues(listener, "true"),
		age: m.age.WithLabelValues(listener),
	}
	for _, code := range []hl7.AckCode{hl7.ApplicationAccept, hl7.ApplicationError, hl7.CommitAccept, hl7.CommitError} {
		l.acks[code] = m.acknowledged.WithLabelValues(listener, string(code))
	}
	return l
}

func (l listenerMetrics) acknowledged(code hl7.AckCode) { l.acks[code].Inc() }

func (l listenerMetrics) delivered(duplicate bool, age time.Duration) {
	if l.age.Observe(age.Seconds()); duplicate {
		l.again.Inc()
		return
	}
	l.first.Inc()
}
