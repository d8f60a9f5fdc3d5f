package stacks

import (
	"maps"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsathena"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsglue"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"

	"hl7lake/tables"
)

// scanLimit is the most, in bytes, that one query may read. Athena charges by the
// terabyte.
const scanLimit = 100 << 30

// firstDate is the earliest date that a partition may have.
const firstDate = "2020-01-01"

// addCatalog defines the database that Athena knows the tables by, and the workgroup in
// which they are asked.
func (t Tables) addCatalog(base Foundation, answers awss3.Bucket) {
	name := "hl7lake_" + base.Name
	t.addDatabase("Database", "Table", name, "hl7lake: messages of HL7v2 as tables", tables.New().All(), hourly())
	group := awsathena.NewCfnWorkGroup(t.Stack, new("WorkGroup"), &awsathena.CfnWorkGroupProps{
		Name:                  new("hl7lake-" + base.Name),
		Description:           new("Asks the tables of hl7lake"),
		RecursiveDeleteOption: new(!base.KeepData),
		WorkGroupConfiguration: &awsathena.CfnWorkGroup_WorkGroupConfigurationProperty{
			EnforceWorkGroupConfiguration:   new(true),
			PublishCloudWatchMetricsEnabled: new(true),
			BytesScannedCutoffPerQuery:      new(float64(scanLimit)),
			EngineVersion:                   &awsathena.CfnWorkGroup_EngineVersionProperty{SelectedEngineVersion: new("Athena engine version 3")},
			ResultConfiguration: &awsathena.CfnWorkGroup_ResultConfigurationProperty{
				OutputLocation: new("s3://" + *answers.BucketName() + "/"),
				EncryptionConfiguration: &awsathena.CfnWorkGroup_EncryptionConfigurationProperty{
					EncryptionOption: new("SSE_KMS"),
					KmsKey:           base.Keys.Lake.KeyArn(),
				},
			},
		},
	})
	awsathena.NewCfnNamedQuery(t.Stack, new("Current"), &awsathena.CfnNamedQueryProps{
		Database:    &name,
		WorkGroup:   group.Name(),
		Name:        new("observations_current"),
		Description: new("Of each result the rows of the message that came last; name your institution"),
		QueryString: new(tables.CurrentOf("your-institution")),
	}).AddResourceDependency(group, nil)
}

// partitioning is how Athena finds the files of tables.
type partitioning struct {
	folder     string            // of the tables' folders, empty or with a slash at its end
	columns    [][2]string       // the partitions' names and types
	template   string            // of a partition's folder in that of its table
	projection map[string]string // how Athena computes the partitions that a query asks for
}

// hourly is how the tables' files are found. Athena computes their partitions from what a
// query asks for and looks none up (Amazon Athena User Guide, Partition projection): a
// query names its institution, dates and hours are known.
func hourly() partitioning {
	return partitioning{
		columns:  [][2]string{{tables.PartitionSource, "string"}, {tables.PartitionDate, "date"}, {tables.PartitionHour, "int"}},
		template: "source=${source}/date=${date}/hour=${hour}/",
		projection: map[string]string{
			"projection.source.type": "injected",
			"projection.date.type":   "date",
			"projection.date.format": "yyyy-MM-dd",
			"projection.date.range":  firstDate + ",NOW",
			"projection.hour.type":   "integer",
			"projection.hour.range":  "0,23",
			"projection.hour.digits": "2",
		},
	}
}

// addDatabase defines a database with tables. The tables' ids begin with prefix.
func (t Tables) addDatabase(id, prefix, name, description string, all []*tables.Table, found partitioning) {
	database := awsglue.NewCfnDatabase(t.Stack, &id, &awsglue.CfnDatabaseProps{
		CatalogId:     t.Account(),
		DatabaseInput: &awsglue.CfnDatabase_DatabaseInputProperty{Name: &name, Description: &description},
	})
	for _, table := range all {
		t.addTable(prefix+camel(table.Name), name, table, found).AddResourceDependency(database, nil)
	}
}

// addTable defines one table of a database.
func (t Tables) addTable(id, database string, table *tables.Table, found partitioning) awsglue.CfnTable {
	folder := "s3://" + *t.Bucket.BucketName() + "/" + found.folder + table.Name + "/"
	columns := []any{}
	for _, c := range table.Columns {
		columns = append(columns, &awsglue.CfnTable_ColumnProperty{
			Name: new(c.Name), Type: new(c.Type.Glue()), Comment: new(comment(c)),
		})
	}
	partitions := []any{}
	for _, p := range found.columns {
		partitions = append(partitions, &awsglue.CfnTable_ColumnProperty{Name: new(p[0]), Type: new(p[1])})
	}
	parameters := map[string]string{
		"classification":            "parquet",
		"projection.enabled":        "true",
		"storage.location.template": folder + found.template,
	}
	maps.Copy(parameters, found.projection)
	return awsglue.NewCfnTable(t.Stack, &id, &awsglue.CfnTableProps{
		CatalogId:    t.Account(),
		DatabaseName: &database,
		TableInput: &awsglue.CfnTable_TableInputProperty{
			Name:          &table.Name,
			Description:   &table.Doc,
			TableType:     new("EXTERNAL_TABLE"),
			PartitionKeys: &partitions,
			Parameters:    parameters,
			StorageDescriptor: &awsglue.CfnTable_StorageDescriptorProperty{
				Location:     &folder,
				Columns:      &columns,
				InputFormat:  new("org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"),
				OutputFormat: new("org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"),
				SerdeInfo: &awsglue.CfnTable_SerdeInfoProperty{
					SerializationLibrary: new("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"),
				},
			},
		},
	})
}

// maxComment is the most characters that Glue takes for a column's comment (AWS Glue API,
// Column).
const maxComment = 255

// comment is what Athena shows of a column.
func comment(c tables.Column) string {
	text := strings.ReplaceAll(c.Doc, "`", "")
	if c.Path != "" {
		text = c.Path + ": " + text
	}
	if runes := []rune(text); len(runes) > maxComment {
		return string(runes[:maxComment-1]) + "…"
	}
	return text
}

// camel is next_of_kin as NextOfKin.
func camel(name string) string {
	var out strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		out.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return out.String()
}
