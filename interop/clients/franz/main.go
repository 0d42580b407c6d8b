// franz-go, driven by lines (the protocol is in interop/README.md).
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const limit = 45 * time.Second

type options map[string]string

func (o options) number(name string) int {
	number, _ := strconv.Atoi(o[name])
	return number
}

// What was seen of a partition, as hashes over lines.
type seen struct {
	count, first, next   int64
	body, times, headers hash.Hash
}

func newSeen() *seen {
	return &seen{first: -1, body: sha256.New(), times: sha256.New(), headers: sha256.New()}
}

func text(bytes []byte) string {
	if bytes == nil {
		return "-"
	}
	return string(bytes)
}

func (s *seen) add(record *kgo.Record) {
	if s.first < 0 {
		s.first = record.Offset
	}
	s.next = record.Offset + 1
	s.count++
	fmt.Fprintf(s.body, "%d|%s|%s\n", record.Offset, text(record.Key), text(record.Value))
	fmt.Fprintf(s.times, "%d|%d\n", record.Offset, record.Timestamp.UnixMilli())
	headers := make([]string, len(record.Headers))
	for at, header := range record.Headers {
		headers[at] = header.Key + "=" + string(header.Value)
	}
	fmt.Fprintf(s.headers, "%d|%s\n", record.Offset, strings.Join(headers, ","))
}

func answer(partitions map[int32]*seen) any {
	list := []any{}
	for partition, each := range partitions {
		list = append(list, map[string]any{
			"partition": partition, "count": each.count, "first": each.first, "next": each.next,
			"body":    hex.EncodeToString(each.body.Sum(nil)),
			"times":   hex.EncodeToString(each.times.Sum(nil)),
			"headers": hex.EncodeToString(each.headers.Sum(nil)),
		})
	}
	return map[string]any{"partitions": list}
}

func recordOf(o options, n int) *kgo.Record {
	index := o.number("first") + n
	record := &kgo.Record{
		Topic:     o["topic"],
		Partition: int32(index % o.number("partitions")),
		Timestamp: time.UnixMilli(1_700_000_000_000 + int64(index)),
		Headers: []kgo.RecordHeader{
			{Key: "n", Value: []byte(strconv.Itoa(index))},
			{Key: "source", Value: []byte(o["name"])},
		},
	}
	if index%10 != 0 {
		record.Key = []byte(fmt.Sprintf("key-%d", index%97))
	}
	if index%50 != 49 {
		long := strings.Repeat("x", index*37%300)
		record.Value = []byte(fmt.Sprintf("%s/%s/%d/ä€%s", o["name"], o["label"], index, long))
	}
	return record
}

var codecs = map[string]kgo.CompressionCodec{
	"": kgo.NoCompression(), "none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

func produce(bootstrap string, o options) (any, error) {
	settings := []kgo.Opt{
		kgo.SeedBrokers(bootstrap),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[o["codec"]]),
		kgo.ProducerLinger(5 * time.Millisecond),
	}
	if o["idempotent"] != "1" {
		settings = append(settings, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(settings...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	records := make([]*kgo.Record, o.number("count"))
	for n := range records {
		records[n] = recordOf(o, n)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return map[string]bool{"ok": true}, client.ProduceSync(ctx, records...).FirstErr()
}

func collect(client *kgo.Client, partitions map[int32]*seen, wanted int) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for count := 0; count < wanted && ctx.Err() == nil; {
		fetches := client.PollFetches(ctx)
		for _, failure := range fetches.Errors() {
			if ctx.Err() == nil {
				return failure.Err
			}
		}
		fetches.EachRecord(func(record *kgo.Record) {
			if count == wanted {
				return
			}
			if partitions[record.Partition] == nil {
				partitions[record.Partition] = newSeen()
			}
			partitions[record.Partition].add(record)
			count++
		})
	}
	return nil
}

func read(bootstrap string, o options) (any, error) {
	offsets := map[int32]kgo.Offset{}
	partitions := map[int32]*seen{}
	for partition := range int32(o.number("partitions")) {
		offsets[partition] = kgo.NewOffset().At(0)
		partitions[partition] = newSeen()
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(bootstrap),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{o["topic"]: offsets}),
	)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	err = collect(client, partitions, o.number("count"))
	return answer(partitions), err
}

func group(bootstrap string, o options) (any, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(bootstrap),
		kgo.ConsumerGroup(o["group"]),
		kgo.ConsumeTopics(o["topic"]),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
	)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	partitions := map[int32]*seen{}
	if err = collect(client, partitions, o.number("count")); err != nil {
		return nil, err
	}
	last := []*kgo.Record{}
	for partition, each := range partitions {
		last = append(last, &kgo.Record{
			Topic: o["topic"], Partition: partition, Offset: each.next - 1, LeaderEpoch: -1,
		})
	}
	return answer(partitions), client.CommitRecords(context.Background(), last...)
}

func perform(bootstrap, line string) (any, error) {
	words := strings.Fields(line)
	o := options{}
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		o[name] = value
	}
	switch words[0] {
	case "produce":
		return produce(bootstrap, o)
	case "read":
		return read(bootstrap, o)
	case "group":
		return group(bootstrap, o)
	}
	return nil, fmt.Errorf("unknown: %s", words[0])
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		result, err := perform(os.Args[1], lines.Text())
		if err != nil {
			result = map[string]string{"error": err.Error()}
		}
		line, _ := json.Marshal(result)
		fmt.Println(string(line))
	}
}
