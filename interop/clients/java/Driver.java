import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Array;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Kafka's Java client, driven by lines (the protocol is in interop/README.md). One source for 0.10.1 to
 * 4.1: what the versions differ in (headers, poll) is looked up by name.
 */
public final class Driver {
  private static final long LIMIT_MS = 45_000;
  private static String bootstrap;

  public static void main(String[] args) throws Exception {
    bootstrap = args[0];
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String answer;
      try {
        answer = perform(line, in);
      } catch (Throwable failure) {
        answer = "{\"error\":" + quoted(String.valueOf(failure)) + "}";
      }
      System.out.println(answer);
    }
  }

  private static String perform(String line, BufferedReader in) throws Exception {
    String[] words = line.split(" ");
    Map<String, String> options = new HashMap<>();
    for (int at = 1; at < words.length; at++) {
      int equals = words[at].indexOf('=');
      options.put(words[at].substring(0, equals), words[at].substring(equals + 1));
    }
    switch (words[0]) {
      case "produce": return produce(options);
      case "read": return read(options);
      case "group": return group(options);
      case "stream": return stream(options, in);
      default: throw new IllegalArgumentException(words[0]);
    }
  }

  private static String produce(Map<String, String> options) throws Exception {
    int count = Integer.parseInt(options.get("count"));
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(producerSettings(options))) {
      for (int n = 0; n < count; n++) sent.add(producer.send(recordOf(options, n)));
      producer.flush();
      for (Future<RecordMetadata> each : sent) each.get();
    }
    return "{\"ok\":true}";
  }

  private static Properties producerSettings(Map<String, String> options) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("acks", "all");
    settings.put("linger.ms", "5");
    settings.put("compression.type", options.getOrDefault("codec", "none"));
    boolean idempotent = "1".equals(options.get("idempotent"));
    if (hasHeaders()) {
      settings.put("enable.idempotence", String.valueOf(idempotent));
      settings.put("retries", String.valueOf(Integer.MAX_VALUE));
      settings.put("max.in.flight.requests.per.connection", "5");
    }
    settings.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    settings.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    return settings;
  }

  private static ProducerRecord<String, String> recordOf(Map<String, String> options, int n)
      throws Exception {
    String name = options.get("name");
    int index = Integer.parseInt(options.get("first")) + n;
    int partition = index % Integer.parseInt(options.get("partitions"));
    String key = index % 10 == 0 ? null : "key-" + index % 97;
    StringBuilder value = new StringBuilder(name + "/" + options.get("label") + "/" + index + "/ä€");
    for (int length = index * 37 % 300; length > 0; length--) value.append('x');
    ProducerRecord<String, String> record =
        new ProducerRecord<>(
            options.get("topic"),
            partition,
            1_700_000_000_000L + index,
            key,
            index % 50 == 49 ? null : value.toString());
    if (hasHeaders()) {
      addHeader(record, "n", String.valueOf(index));
      addHeader(record, "source", name);
    }
    return record;
  }

  private static boolean hasHeaders() {
    try {
      ProducerRecord.class.getMethod("headers");
      return true;
    } catch (NoSuchMethodException old) {
      return false;
    }
  }

  private static void addHeader(ProducerRecord<?, ?> record, String key, String value)
      throws Exception {
    Object headers = ProducerRecord.class.getMethod("headers").invoke(record);
    Method add =
        Class.forName("org.apache.kafka.common.header.Headers")
            .getMethod("add", String.class, byte[].class);
    add.invoke(headers, key, value.getBytes(StandardCharsets.UTF_8));
  }

  private static String headersOf(ConsumerRecord<?, ?> record) throws Exception {
    Object headers = ConsumerRecord.class.getMethod("headers").invoke(record);
    Object all =
        Class.forName("org.apache.kafka.common.header.Headers").getMethod("toArray").invoke(headers);
    Class<?> type = Class.forName("org.apache.kafka.common.header.Header");
    StringBuilder text = new StringBuilder();
    for (int at = 0; at < Array.getLength(all); at++) {
      if (at > 0) text.append(',');
      Object key = type.getMethod("key").invoke(Array.get(all, at));
      byte[] value = (byte[]) type.getMethod("value").invoke(Array.get(all, at));
      text.append(key).append('=').append(new String(value, StandardCharsets.UTF_8));
    }
    return text.toString();
  }

  @SuppressWarnings("unchecked")
  private static ConsumerRecords<String, String> poll(KafkaConsumer<String, String> consumer)
      throws Exception {
    try {
      Class<?> duration = Class.forName("java.time.Duration");
      Method method = KafkaConsumer.class.getMethod("poll", duration);
      return (ConsumerRecords<String, String>)
          unwrapped(method, consumer, java.time.Duration.ofMillis(200));
    } catch (NoSuchMethodException old) {
      Method method = KafkaConsumer.class.getMethod("poll", long.class);
      return (ConsumerRecords<String, String>) unwrapped(method, consumer, 200L);
    }
  }

  private static Object unwrapped(Method method, Object target, Object argument) throws Exception {
    try {
      return method.invoke(target, argument);
    } catch (java.lang.reflect.InvocationTargetException failure) {
      throw (Exception) failure.getCause();
    }
  }

  private static Properties consumerSettings(Map<String, String> options) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("enable.auto.commit", "false");
    settings.put("auto.offset.reset", "earliest");
    settings.put("fetch.max.wait.ms", "50");
    if (options.containsKey("group")) settings.put("group.id", options.get("group"));
    if (options.containsKey("isolation")) settings.put("isolation.level", options.get("isolation"));
    settings.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    settings.put("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    return settings;
  }

  /** What was seen of a partition, as hashes over lines. */
  private static final class Seen {
    long count;
    long first = -1;
    long next;
    final MessageDigest body = sha256();
    final MessageDigest times = sha256();
    final MessageDigest headers = sha256();

    void add(ConsumerRecord<String, String> record) throws Exception {
      if (first < 0) first = record.offset();
      next = record.offset() + 1;
      count++;
      String key = record.key() == null ? "-" : record.key();
      String value = record.value() == null ? "-" : record.value();
      line(body, record.offset() + "|" + key + "|" + value);
      line(times, record.offset() + "|" + record.timestamp());
      if (hasHeaders()) line(headers, record.offset() + "|" + headersOf(record));
    }

    String json(int partition) {
      String withHeaders = hasHeaders() ? ",\"headers\":\"" + hex(headers) + "\"" : "";
      return String.format(
          "{\"partition\":%d,\"count\":%d,\"first\":%d,\"next\":%d,\"body\":\"%s\",\"times\":\"%s\"%s}",
          partition, count, first, next, hex(body), hex(times), withHeaders);
    }
  }

  private static String json(Map<Integer, Seen> partitions) {
    List<String> parts = new ArrayList<>();
    for (Map.Entry<Integer, Seen> each : partitions.entrySet())
      parts.add(each.getValue().json(each.getKey()));
    return "{\"partitions\":[" + String.join(",", parts) + "]}";
  }

  private static String read(Map<String, String> options) throws Exception {
    long wanted = Long.parseLong(options.get("count"));
    String topic = options.get("topic");
    Map<Integer, Seen> seen = new TreeMap<>();
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(consumerSettings(options))) {
      List<TopicPartition> all = new ArrayList<>();
      for (int partition = 0; partition < Integer.parseInt(options.get("partitions")); partition++) {
        all.add(new TopicPartition(topic, partition));
        seen.put(partition, new Seen());
      }
      consumer.assign(all);
      for (TopicPartition each : all) consumer.seek(each, 0);
      long limit = System.currentTimeMillis() + limitMs(options);
      long count = 0;
      while (count < wanted && System.currentTimeMillis() < limit)
        for (ConsumerRecord<String, String> record : poll(consumer)) {
          seen.get(record.partition()).add(record);
          count++;
        }
    }
    return json(seen);
  }

  private static long limitMs(Map<String, String> options) {
    String seconds = options.get("seconds");
    return seconds == null ? LIMIT_MS : Long.parseLong(seconds) * 1000;
  }

  private static String group(Map<String, String> options) throws Exception {
    long wanted = Long.parseLong(options.get("count"));
    Map<Integer, Seen> seen = new TreeMap<>();
    long count = 0;
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(consumerSettings(options))) {
      consumer.subscribe(Collections.singletonList(options.get("topic")));
      long limit = System.currentTimeMillis() + LIMIT_MS;
      while (count < wanted && System.currentTimeMillis() < limit)
        for (ConsumerRecord<String, String> record : poll(consumer)) {
          if (count == wanted) break;
          seen.computeIfAbsent(record.partition(), none -> new Seen()).add(record);
          count++;
        }
      Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
      for (Map.Entry<Integer, Seen> each : seen.entrySet())
        offsets.put(
            new TopicPartition(options.get("topic"), each.getKey()),
            new OffsetAndMetadata(each.getValue().next));
      consumer.commitSync(offsets);
    }
    return json(seen);
  }

  /** Sends numbered records, round robin, until any line comes in; says each acknowledgement. */
  private static String stream(Map<String, String> options, BufferedReader in) throws Exception {
    String topic = options.get("topic");
    int partitions = Integer.parseInt(options.get("partitions"));
    Properties settings = producerSettings(options);
    settings.put("linger.ms", "0");
    settings.put("delivery.timeout.ms", "600000");
    settings.put("reconnect.backoff.max.ms", "200");
    // A broker that was away is known again before the only other one goes.
    settings.put("metadata.max.age.ms", "1000");
    long number = 0;
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings)) {
      while (!in.ready()) {
        for (int burst = 0; burst < 4; burst++, number++) {
          int partition = (int) (number % partitions);
          long sequence = number / partitions;
          producer.send(
              new ProducerRecord<>(topic, partition, null, String.valueOf(sequence)),
              (where, failure) ->
                  System.out.println(
                      failure == null
                          ? "ack " + partition + " " + sequence + " " + where.offset()
                          : "failed " + partition + " " + sequence + " " + failure));
        }
        Thread.sleep(4);
      }
      in.readLine();
      producer.flush();
    }
    return "{\"ok\":true,\"sent\":" + number + "}";
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (java.security.NoSuchAlgorithmException none) {
      throw new IllegalStateException(none);
    }
  }

  private static void line(MessageDigest digest, String text) {
    digest.update((text + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private static String hex(MessageDigest digest) {
    StringBuilder text = new StringBuilder();
    for (byte each : digest.digest()) text.append(String.format("%02x", each));
    return text.toString();
  }

  private static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (char each : text.toCharArray()) {
      if (each == '"' || each == '\\') out.append('\\').append(each);
      else if (each < ' ') out.append(' ');
      else out.append(each);
    }
    return out.append('"').toString();
  }
}
